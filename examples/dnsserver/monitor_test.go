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
	"testing"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	client "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
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
		"9090":           "127.0.0.1:9090",
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

// body returns a page of the server's monitor.
func body(t testing.TB, s *server, path string) *http.Response {
	t.Helper()
	return page(t, "http://"+s.monitor.addrs[0]+path)
}

func page(t testing.TB, url string) *http.Response {
	t.Helper()
	answer := get(t, url, "")
	require.Equal(t, http.StatusOK, answer.StatusCode, url)
	return answer
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
	cfg := monitored(goRunner)
	cfg.httpHosts = "dns.example.net,dns"
	s := startServer(t, cfg)
	for _, path := range []string{
		"/metrics", "/healthz", "/debug/vars", "/debug/pprof/cmdline", "/debug/statsviz/", "/debug/statsviz/ws", "/",
	} {
		url := "http://" + s.monitor.addrs[0] + path
		for _, host := range []string{
			"example.com", "example.com:80", "127.0.0.1.example.com", "localhost.example.com:8080", "10.0.0.1", "dns.example",
		} {
			require.Equal(t, http.StatusForbidden, get(t, url, host).StatusCode, "%s at %s", path, host)
		}
		for _, host := range []string{
			"", "localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.10:80", "[::1]", "[::1]:80", "dns.example.net", "dns:80",
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
		askedAs([]string{hostOf(c.given)}, pages).ServeHTTP(answer, request)
		require.Equal(t, c.status, answer.Code, c)
	}
}

func TestMetricsHaveAnAddressWithoutDebugPages(t *testing.T) {
	for _, http := range []string{"", "127.0.0.1:0"} {
		cfg := monitored(poolRunner)
		cfg.http, cfg.metrics = http, "127.0.0.1:0"
		addrs := startServer(t, cfg).monitor.addrs
		public := "http://" + addrs[len(addrs)-1]
		require.Contains(t, scrapeURL(t, public), "hemlock_tasks_waiting")
		require.Contains(t, scrapeURL(t, public), "dnsserver_udp_dropped_total")
		require.Equal(t, 200, get(t, public+"/healthz", "dnsserver-7d4b9-a.example.net").StatusCode)
		for _, path := range []string{"/debug/vars", "/debug/pprof/", "/debug/pprof/heap", "/debug/statsviz/", "/debug/hemlock", "/"} {
			require.Equal(t, 404, get(t, public+path, "").StatusCode, path)
		}
		require.Equal(t, http != "", len(addrs) == 2)
	}
}

func TestMonitorServesItsPages(t *testing.T) {
	for name, links := range map[string]int{poolRunner: 6, goRunner: 5} {
		s := startServer(t, monitored(name))
		html, err := io.ReadAll(body(t, s, "/").Body)
		require.NoError(t, err)
		found := regexp.MustCompile(`href="(/[^"]*)"`).FindAllSubmatch(html, -1)
		require.Len(t, found, links)
		paths := []string{"/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/trace?seconds=0.01"}
		for _, link := range found {
			paths = append(paths, string(link[1]))
		}
		for _, path := range paths {
			page, err := io.ReadAll(body(t, s, path).Body)
			require.NoError(t, err)
			require.NotEmpty(t, page, path)
		}
		require.Equal(t, http.StatusNotFound, get(t, "http://"+s.monitor.addrs[0]+"/nothing", "").StatusCode)

		_, ofAPool := scrape(t, s)["hemlock_workers"]
		require.Equal(t, name == poolRunner, ofAPool)
		require.Contains(t, scrape(t, s), "go_goroutines")
		_, ofAPool = vars(t, s)["pool"]
		require.Equal(t, name == poolRunner, ofAPool)
		require.Contains(t, vars(t, s), "memstats")
	}
}

func TestPageOfThePoolKnowsItAndItsOptions(t *testing.T) {
	cfg := monitored(poolRunner)
	cfg.httpHosts = "dns.example.net"
	url := "http://" + startServer(t, cfg).monitor.addrs[0] + "/debug/hemlock?format=json"
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
		answer := get(t, url, "dns.example.net:80")
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&got))
		return got.Sampler
	}, "the sampler runs")
	require.Len(t, got.Pools, 1)
	require.Equal(t, poolName, got.Pools[0].Name)
	require.Equal(t, cfg.killInterval.Seconds(), got.Pools[0].Options.Interval)
	require.Equal(t, cfg.killDelay.Seconds(), got.Pools[0].Options.Delay)
}

// scrape returns the metrics of the server as Prometheus reads them.
func scrape(t testing.TB, s *server) map[string]*client.MetricFamily {
	t.Helper()
	return scrapeURL(t, "http://"+s.monitor.addrs[0])
}

func scrapeURL(t testing.TB, url string) map[string]*client.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page(t, url+"/metrics").Body)
	require.NoError(t, err)
	return families
}

func TestScrapeAndVarsCountQueries(t *testing.T) {
	const queries = 50
	s := startServer(t, monitored(poolRunner))
	conn := dial(t, "tcp", s.addr().String())
	for id := range uint16(queries) {
		exchange(t, conn, question(id, "example.org.", dns.TypeA))
	}
	var counts map[string]int64
	require.NoError(t, json.Unmarshal(vars(t, s)["pool"], &counts))
	require.EqualValues(t, queries, counts["submitted"])
	got := scrape(t, s)
	require.EqualValues(t, queries, single(t, got, "hemlock_tasks_submitted_total").GetCounter().GetValue())
	require.Equal(t, "dns", single(t, got, "hemlock_tasks_submitted_total").GetLabel()[0].GetValue())
	require.Positive(t, single(t, got, "hemlock_workers_peak").GetGauge().GetValue())
	require.Positive(t, single(t, got, "go_memstats_stack_inuse_bytes").GetGauge().GetValue())
}

// single returns the metric of a family that has one.
func single(t testing.TB, families map[string]*client.MetricFamily, name string) *client.Metric {
	t.Helper()
	list := families[name].GetMetric()
	require.Len(t, list, 1, name)
	return list[0]
}

func vars(t testing.TB, s *server) map[string]json.RawMessage {
	t.Helper()
	var published map[string]json.RawMessage
	answer := body(t, s, "/debug/vars")
	require.Equal(t, "application/json; charset=utf-8", answer.Header.Get("Content-Type"))
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&published))
	return published
}

// Whatever is wrong, what was opened before is closed again.
func TestBusyAddressLeavesNothingOpen(t *testing.T) {
	busy := startServer(t, monitored(poolRunner))
	for name, cfg := range map[string]config{
		busy.addr().String():         {addr: busy.addr().String(), http: "127.0.0.1:0"},
		busy.monitor.addrs[0]:        {addr: "127.0.0.1:0", http: busy.monitor.addrs[0]},
		busy.monitor.addrs[0] + ": ": {addr: "127.0.0.1:0", http: "127.0.0.1:0", metrics: busy.monitor.addrs[0]},
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
	profile := request(t, s, "GET /debug/pprof/trace?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	pooltest.Eventually(t, trace.IsEnabled, "the trace is taken")
	require.NoError(t, stop(s, patience))
	_, err = io.Copy(io.Discard, profile)
	require.NoError(t, err) // the end, and not the deadline
	require.False(t, trace.IsEnabled())
	_, err = net.Dial("tcp", s.monitor.addrs[0])
	require.Error(t, err)
}

func TestSlowClientCannotHoldTheServer(t *testing.T) {
	s, err := openServer(monitored(goRunner), quiet())
	require.NoError(t, err)
	slow := request(t, s, "GET /metrics HTTP/1.1\r\n") // and no more
	require.NotEmpty(t, vars(t, s))                    // so that connection was accepted
	require.NoError(t, stop(s, 50*time.Millisecond))
	_, err = io.Copy(io.Discard, slow)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = net.Dial("tcp", s.monitor.addrs[0])
	require.Error(t, err)
}

// request sends what it is given to the monitor.
func request(t testing.TB, s *server, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.monitor.addrs[0])
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}
