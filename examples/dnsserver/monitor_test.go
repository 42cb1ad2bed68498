package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime/trace"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// monitored is a configuration with a monitor on a free port.
func monitored(runner string) config {
	cfg := loopback(runner)
	cfg.http = "127.0.0.1:0"
	return cfg
}

func TestMonitorListensOnLoopbackUnlessToldOtherwise(t *testing.T) {
	for given, want := range map[string]string{
		":9090":          "127.0.0.1:9090",
		"localhost:9090": "localhost:9090",
		"0.0.0.0:9090":   "0.0.0.0:9090",
		"[::]:9090":      "[::]:9090",
		"::1":            "::1", // which net.Listen explains
	} {
		require.Equal(t, want, monitorAddr(given), given)
	}
	require.Empty(t, startServer(t, loopback(poolRunner)).monitor.addrs)
}

// site returns the URL of what the flag serves.
func (s *server) site(flag string) string { return "http://" + s.monitor.addrs[flag] }

// read returns a page of the server's monitor.
func read(t testing.TB, s *server, path string) string {
	t.Helper()
	return page(t, s.site("http")+path)
}

func page(t testing.TB, url string) string {
	t.Helper()
	answer := get(t, url, "")
	require.Equal(t, http.StatusOK, answer.StatusCode, url)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// get sends a request, for another host than that of the URL unless it is empty.
func get(t testing.TB, url, host string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	request.Host = host
	answer, err := (&http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// Pitfall 52: a stranger's page whose name leads to this machine is of one origin with
// ours.
func TestDebugPagesAreForKnownHostsOnly(t *testing.T) {
	s := startServer(t, monitored(goRunner))
	for _, path := range []string{
		"/metrics", "/healthz", "/debug/vars", "/debug/pprof/cmdline", "/debug/statsviz/", "/debug/statsviz/ws", "/",
	} {
		url := s.site("http") + path
		for _, host := range []string{
			"example.com", "example.com:80", "127.0.0.1.example.com", "localhost.example.com:8080", "10.0.0.1", "dns.example",
		} {
			require.Equal(t, http.StatusForbidden, get(t, url, host).StatusCode, "%s at %s", path, host)
		}
		for _, host := range []string{
			"", "localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.10:80", "[::1]", "[::1]:80",
		} {
			require.NotEqual(t, http.StatusForbidden, get(t, url, host).StatusCode, "%s at %q", path, host)
		}
	}
}

// A host that is given with -http may be asked for.
func TestDebugPagesAreForTheHostTheyWereGiven(t *testing.T) {
	pages := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, c := range []struct {
		given, asked string
		status       int
	}{
		{"192.0.2.1:9090", "192.0.2.1:9090", http.StatusOK},
		{"192.0.2.2:9090", "192.0.2.1:9090", http.StatusForbidden},
		{":9090", "192.0.2.1:9090", http.StatusForbidden},
		{":9090", "", http.StatusForbidden}, // as HTTP/1.0 allows
	} {
		request := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		request.Host = c.asked
		answer := httptest.NewRecorder()
		askedAs(hostOf(c.given), pages).ServeHTTP(answer, request)
		require.Equal(t, c.status, answer.Code, c)
	}
}

func TestMetricsHaveAnAddressWithoutDebugPages(t *testing.T) {
	for _, http := range []string{"", "127.0.0.1:0"} {
		cfg := monitored(poolRunner)
		cfg.http, cfg.metrics = http, "127.0.0.1:0"
		s := startServer(t, cfg)
		public := s.site("metrics")
		metric(t, public, "hemlock_tasks_waiting")
		metric(t, public, "dnsserver_udp_dropped_total")
		require.Equal(t, 200, get(t, public+"/healthz", "dnsserver-7d4b9-a.example.net").StatusCode)
		for _, path := range []string{"/debug/vars", "/debug/pprof/", "/debug/pprof/heap", "/debug/statsviz/", "/debug/hemlock", "/"} {
			require.Equal(t, 404, get(t, public+path, "").StatusCode, path)
		}
		require.Equal(t, http != "", len(s.monitor.addrs) == 2)
	}
}

func TestMonitorServesItsPages(t *testing.T) {
	for name, links := range map[string]int{poolRunner: 6, goRunner: 5} {
		s := startServer(t, monitored(name))
		found := regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(read(t, s, "/"), -1)
		require.Len(t, found, links)
		paths := []string{"/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/trace?seconds=0.01"}
		for _, link := range found {
			paths = append(paths, link[1])
		}
		for _, path := range paths {
			require.NotEmpty(t, read(t, s, path), path)
		}
		require.Equal(t, http.StatusNotFound, get(t, s.site("http")+"/nothing", "").StatusCode)

		metrics := read(t, s, "/metrics")
		require.Equal(t, name == poolRunner, strings.Contains(metrics, "hemlock_workers"))
		require.Contains(t, metrics, "go_goroutines")
		require.Contains(t, read(t, s, "/debug/vars"), "memstats")
	}
}

func TestPageOfThePoolKnowsItAndItsOptions(t *testing.T) {
	cfg := monitored(poolRunner)
	url := startServer(t, cfg).site("http") + "/debug/hemlock?format=json"
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
	pooltest.Eventually(t, func() bool {
		require.NoError(t, json.Unmarshal([]byte(page(t, url)), &got))
		return got.Sampler
	}, "the sampler runs")
	require.Len(t, got.Pools, 1)
	require.Equal(t, poolName, got.Pools[0].Name)
	require.Equal(t, cfg.killInterval.Seconds(), got.Pools[0].Options.Interval)
	require.Equal(t, cfg.killDelay.Seconds(), got.Pools[0].Options.Delay)
}

// metric returns the value of the only metric of that name.
func metric(t testing.TB, site, name string) float64 {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(page(t, site+"/metrics"), -1)
	require.Len(t, found, 1, name)
	value, err := strconv.ParseFloat(found[0][1], 64)
	require.NoError(t, err)
	return value
}

func TestScrapeCountsQueries(t *testing.T) {
	const queries = 50
	s := startServer(t, monitored(poolRunner))
	conn := dial(t, "tcp", s.addr().String())
	for id := range uint16(queries) {
		exchange(t, conn, question(id, "example.org.", dns.TypeA))
	}
	require.EqualValues(t, queries, metric(t, s.site("http"), "hemlock_tasks_submitted_total"))
	require.Contains(t, read(t, s, "/metrics"), `hemlock_tasks_submitted_total{pool="dns"}`)
	require.Positive(t, metric(t, s.site("http"), "hemlock_workers_peak"))
	require.Positive(t, metric(t, s.site("http"), "go_memstats_stack_inuse_bytes"))
}

// Whatever is wrong, what was opened before is closed again.
func TestBusyAddressLeavesNothingOpen(t *testing.T) {
	busy := startServer(t, monitored(poolRunner))
	for name, cfg := range map[string]config{
		busy.addr().String():              {addr: busy.addr().String(), http: "127.0.0.1:0"},
		busy.monitor.addrs["http"]:        {addr: "127.0.0.1:0", http: busy.monitor.addrs["http"]},
		busy.monitor.addrs["http"] + ": ": {addr: "127.0.0.1:0", http: "127.0.0.1:0", metrics: busy.monitor.addrs["http"]},
	} {
		var logged pooltest.Log
		_, err := openServer(cfg, textLog(&logged))
		require.ErrorContains(t, err, name)
		for _, open := range regexp.MustCompile(`(?:addr|http)=(\S+)`).FindAllStringSubmatch(logged.String(), -1) {
			_, err = net.Dial("tcp", open[1])
			require.Error(t, err, open[0])
		}
	}
}

func TestMonitorEndsWithTheServer(t *testing.T) {
	s, err := openServer(monitored(poolRunner), quiet())
	require.NoError(t, err)
	profile, err := net.Dial("tcp", s.monitor.addrs["http"])
	require.NoError(t, err)
	defer profile.Close()
	require.NoError(t, profile.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(profile, "GET /debug/pprof/trace?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	require.NoError(t, err)
	pooltest.Eventually(t, trace.IsEnabled, "the trace is taken")
	require.NoError(t, stop(s, patience))
	_, err = io.Copy(io.Discard, profile)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	pooltest.Eventually(t, func() bool { return !trace.IsEnabled() }, "the trace ends")
	_, err = net.Dial("tcp", s.monitor.addrs["http"])
	require.Error(t, err)
}
