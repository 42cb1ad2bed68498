package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// deployed is what the manifest says about the server.
type deployed struct {
	Args           []string
	ReadinessProbe struct {
		HTTPGet struct {
			Path string
		} `yaml:"httpGet"`
		TimeoutSeconds int `yaml:"timeoutSeconds"`
	} `yaml:"readinessProbe"`
	Resources struct {
		Limits struct{ Memory string }
	}
}

func loadDeployed(t *testing.T) deployed {
	t.Helper()
	content, err := os.ReadFile("../../metrics/prometheus/autoscaling/kubernetes/deployment.yaml")
	require.NoError(t, err)
	var manifest struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []deployed }
			}
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &manifest))
	containers := manifest.Spec.Template.Spec.Containers
	require.Len(t, containers, 1)
	return containers[0]
}

// args returns those of the manifest, with free ports of the loopback interface.
func (d deployed) args() []string {
	var args []string
	addr := regexp.MustCompile(`=[\d.]+:\d+$`)
	for _, arg := range d.Args {
		args = append(args, addr.ReplaceAllString(arg, "=127.0.0.1:0"))
	}
	return args
}

// memory returns the limit in MiB.
func (d deployed) memory(t *testing.T) int {
	t.Helper()
	mebibytes, ok := strings.CutSuffix(d.Resources.Limits.Memory, "Mi")
	require.True(t, ok, d.Resources.Limits.Memory)
	return number(t, mebibytes)
}

const floodTime = 3 * time.Second

// Pitfall 61: the server as the manifest starts it, with a back end that takes a
// second, while queries come as fast as this machine can send them.
func TestFloodLeavesTheMemoryUnderItsLimitAndTheProbeAnswered(t *testing.T) {
	manifest := loadDeployed(t)
	limit := manifest.memory(t)
	t.Setenv("GOMEMLIMIT", fmt.Sprintf("%dMiB", limit))
	server := startChild(t, append(manifest.args(), "-latency=1s")...)
	var metrics string
	pooltest.Eventually(t, func() bool {
		found := regexp.MustCompile(`metrics=(\S+)`).FindStringSubmatch(server.log.String())
		if found != nil {
			metrics = "http://" + found[1]
		}
		return found != nil
	}, "it serves metrics")

	slowest := floodAndProbe(t, server.addr, metrics+manifest.ReadinessProbe.HTTPGet.Path,
		time.Duration(manifest.ReadinessProbe.TimeoutSeconds)*time.Second)
	most := peakMemory(t, server.Process.Pid)
	dropped := metric(t, metrics, "dnsserver_udp_dropped_total")
	t.Logf("%d MiB of %d, slowest probe %v, %v dropped", most, limit, slowest, dropped)
	require.Less(t, most, limit)
	require.Positive(t, dropped)
	require.InDelta(t, 0.9*float64(limit<<20), metric(t, metrics, "go_gc_gomemlimit_bytes"), 100)

	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.Zero(t, server.wait(t), server.log)
}

// floodAndProbe returns how long the slowest probe took. One that takes longer
// than its timeout fails the test.
func floodAndProbe(t *testing.T, addr, probe string, timeout time.Duration) (slowest time.Duration) {
	t.Helper()
	query := packed(t, question(1, "example.org.", dns.TypeA))
	end := time.Now().Add(floodTime)
	var senders sync.WaitGroup
	defer senders.Wait()
	for range 2 {
		conn, err := net.Dial("udp", addr)
		require.NoError(t, err)
		defer conn.Close()
		senders.Go(func() {
			for time.Now().Before(end) {
				_, _ = conn.Write(query) // a full buffer is what a flood is
			}
		})
	}
	prober := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	for time.Now().Before(end) {
		begin := time.Now()
		answer, err := prober.Get(probe)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusOK, answer.StatusCode)
		slowest = max(slowest, time.Since(begin))
		time.Sleep(50 * time.Millisecond)
	}
	return slowest
}

// peakMemory returns the most memory that a process ever had, in MiB: the high
// water mark of what a container's limit counts.
func peakMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Skip("the kernel does not say how much memory a process had")
	}
	mark := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, mark)
	return number(t, string(mark[1])) >> 10
}
