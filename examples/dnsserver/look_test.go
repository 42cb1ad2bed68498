package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIndexLeadsToEveryPageThatThereIs(t *testing.T) {
	for name, want := range map[string]int{poolRunner: len(links) + 1, goRunner: len(links)} {
		s := startServer(t, monitored(name))
		html, err := io.ReadAll(body(t, s, "/").Body)
		require.NoError(t, err)
		found := regexp.MustCompile(`href="(/[^"]*)"`).FindAllSubmatch(html, -1)
		require.Len(t, found, want)
		for _, link := range found {
			require.Equal(t, http.StatusOK, get(t, "http://"+s.monitor.addr()+string(link[1]), "").StatusCode, string(link[1]))
		}
		require.Equal(t, http.StatusNotFound, get(t, "http://"+s.monitor.addr()+"/nothing", "").StatusCode)
	}
}

func TestPageOfThePoolKnowsItAndItsOptions(t *testing.T) {
	cfg := monitored(poolRunner)
	cfg.httpHosts = "dns.example.net"
	s := startServer(t, cfg)
	answer := get(t, "http://"+s.monitor.addr()+"/debug/hemlock?format=json", "dns.example.net:80")
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var got struct {
		Sampler bool
		Pools   []struct {
			Name    string
			Options struct {
				Interval float64 `json:"kill_interval_seconds"`
				Delay    float64 `json:"kill_delay_seconds"`
			}
		}
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&got))
	require.Len(t, got.Pools, 1)
	require.Equal(t, poolName, got.Pools[0].Name)
	require.Equal(t, cfg.killInterval.Seconds(), got.Pools[0].Options.Interval)
	require.Equal(t, cfg.killDelay.Seconds(), got.Pools[0].Options.Delay)
	until(t, "the sampler runs", func() bool {
		require.NoError(t, json.NewDecoder(body(t, s, "/debug/hemlock?format=json").Body).Decode(&got))
		return got.Sampler
	})
}
