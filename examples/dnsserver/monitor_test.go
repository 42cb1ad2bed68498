package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/trace"
	"testing"
	"time"

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
		":0":             "127.0.0.1:0",
		"localhost:9090": "localhost:9090",
		"0.0.0.0:9090":   "0.0.0.0:9090",
		"[::]:9090":      "[::]:9090",
		"[::1]:9090":     "[::1]:9090",
		"::1":            "::1", // which net.Listen explains
	} {
		require.Equal(t, want, monitorAddr(given), given)
	}
	var logged logBuffer
	s, err := openServer(config{addr: "127.0.0.1:0", runner: goRunner, http: "0"}, textLog(&logged))
	require.NoError(t, err)
	defer func() { require.NoError(t, stop(s, patience)) }()
	host, port, err := net.SplitHostPort(s.monitor.addr())
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", host)
	require.NotEqual(t, "0", port)
	require.Contains(t, logged.String(), "http="+s.monitor.addr())
}

func TestServerHasNoMonitorByDefault(t *testing.T) {
	require.Nil(t, startServer(t, loopback(poolRunner)).monitor)
}

// body returns a page of the server's monitor.
func body(t testing.TB, s *server, path string) *http.Response {
	t.Helper()
	return page(t, "http://"+s.monitor.addr()+path)
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
		url := "http://" + s.monitor.addr() + path
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
	for addr, status := range map[string]int{
		"192.0.2.1:9090": http.StatusOK, "192.0.2.2:9090": http.StatusForbidden, ":9090": http.StatusForbidden, "9090": http.StatusForbidden,
	} {
		request := httptest.NewRequest(http.MethodGet, "http://192.0.2.1:9090/metrics", nil)
		answer := httptest.NewRecorder()
		askedAs([]string{hostOf(addr)}, pages).ServeHTTP(answer, request)
		require.Equal(t, status, answer.Code, addr)
	}
	request := httptest.NewRequest(http.MethodGet, "http://192.0.2.1:9090/metrics", nil)
	request.Host = "" // as HTTP/1.0 allows
	answer := httptest.NewRecorder()
	askedAs([]string{hostOf(":9090")}, pages).ServeHTTP(answer, request)
	require.Equal(t, http.StatusForbidden, answer.Code)
}

func TestMetricsHaveAnAddressWithoutDebugPages(t *testing.T) {
	for _, http := range []string{"", "127.0.0.1:0"} {
		cfg := monitored(poolRunner)
		cfg.http, cfg.metrics = http, "127.0.0.1:0"
		s := startServer(t, cfg)
		sites := s.monitor.sites
		public := "http://" + sites[len(sites)-1].listener.Addr().String()
		require.Contains(t, scrapeURL(t, public), "hemlock_tasks_waiting")
		require.Contains(t, scrapeURL(t, public), "dnsserver_udp_dropped_total")
		require.Equal(t, 200, get(t, public+"/healthz", "dnsserver-7d4b9-a.example.net").StatusCode)
		for _, path := range []string{"/debug/vars", "/debug/pprof/", "/debug/pprof/heap", "/debug/statsviz/", "/"} {
			require.Equal(t, 404, get(t, public+path, "").StatusCode, path)
		}
		require.Equal(t, http != "", len(sites) == 2)
	}
}

func TestMonitorServesItsPages(t *testing.T) {
	for _, name := range runners {
		s := startServer(t, monitored(name))
		for _, path := range []string{
			"/metrics", "/healthz", "/debug/vars", "/debug/pprof", "/debug/pprof/goroutine?debug=1", "/debug/pprof/cmdline",
			"/debug/pprof/symbol", "/debug/pprof/trace?seconds=0.01", "/debug/statsviz", "/debug/statsviz/",
		} {
			page, err := io.ReadAll(body(t, s, path).Body)
			require.NoError(t, err)
			require.NotEmpty(t, page, path)
		}
	}
}

// scrape returns the metrics of the server as Prometheus reads them.
func scrape(t testing.TB, s *server) map[string]*client.MetricFamily {
	t.Helper()
	return scrapeURL(t, "http://"+s.monitor.addr())
}

func scrapeURL(t testing.TB, url string) map[string]*client.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(page(t, url+"/metrics").Body)
	require.NoError(t, err)
	return families
}

// workers returns how many workers a scrape shows, and how many are running.
func workers(t testing.TB, families map[string]*client.MetricFamily) (all, running float64) {
	t.Helper()
	states := families["hemlock_workers"].GetMetric()
	require.Len(t, states, 2)
	for _, m := range states {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		require.Equal(t, "dns", labels["pool"])
		all += m.GetGauge().GetValue()
		if labels["state"] == "running" {
			running = m.GetGauge().GetValue()
		}
	}
	return all, running
}

func TestScrapeShowsTheSpikeAndItsEnd(t *testing.T) {
	const spike = 100
	cfg := monitored(poolRunner)
	cfg.latency = 100 * time.Millisecond
	s := startServer(t, cfg)
	before := scrape(t, s)
	all, _ := workers(t, before)
	require.Zero(t, all)

	conn := dial(t, "tcp", s.addr().String())
	asked, peak := 0, 0.0
	// On a busy machine the answers may be there before a scrape is.
	until(t, "a scrape shows the spike", func() bool {
		for id := range uint16(spike) {
			require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
		}
		asked += spike
		all, running := workers(t, scrape(t, s))
		for range spike {
			_, err := conn.ReadMsg()
			require.NoError(t, err)
		}
		peak = max(peak, all)
		return running > spike/2
	})
	until(t, "a scrape shows no worker", func() bool {
		all, _ := workers(t, scrape(t, s))
		return all == 0
	})

	after := scrape(t, s)
	require.GreaterOrEqual(t, single(t, after, "hemlock_workers_peak").GetGauge().GetValue(), peak)
	require.EqualValues(t, asked, single(t, after, "hemlock_tasks_submitted_total").GetCounter().GetValue())
	require.EqualValues(t, asked, single(t, after, "hemlock_tasks_completed_total").GetCounter().GetValue())
	require.Equal(t, single(t, after, "hemlock_workers_spawned_total").GetCounter().GetValue(),
		single(t, after, "hemlock_workers_killed_total").GetCounter().GetValue())
	require.Positive(t, single(t, after, "go_goroutines").GetGauge().GetValue())
	require.Positive(t, single(t, after, "go_memstats_stack_inuse_bytes").GetGauge().GetValue())
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

func TestVarsHoldTheCountsOfThePool(t *testing.T) {
	s := startServer(t, monitored(poolRunner))
	conn := dial(t, "udp", s.addr().String())
	for id := range uint16(3) {
		require.NoError(t, conn.WriteMsg(question(id, "example.org.", dns.TypeA)))
		_, err := conn.ReadMsg()
		require.NoError(t, err)
	}
	published := vars(t, s)
	require.Contains(t, published, "memstats")
	var counts map[string]int64
	require.NoError(t, json.Unmarshal(published["pool"], &counts))
	require.EqualValues(t, 3, counts["submitted"])
	require.Contains(t, counts, "peak_workers")
}

func TestWithoutAPoolThereIsNothingOfOne(t *testing.T) {
	s := startServer(t, monitored(goRunner))
	families := scrape(t, s)
	require.Contains(t, families, "go_goroutines")
	for name := range families {
		require.NotContains(t, name, "hemlock")
	}
	require.NotContains(t, vars(t, s), "pool")
}

func TestBusyMonitorPortStartsNothing(t *testing.T) {
	busy := startServer(t, monitored(poolRunner)).monitor.addr()
	free := tcpListener(t)
	require.NoError(t, free.Close())
	cfg := loopback(poolRunner)
	cfg.addr, cfg.http = free.Addr().String(), busy
	var logged logBuffer
	_, err := openServer(cfg, textLog(&logged))
	require.ErrorContains(t, err, "-http "+busy)
	require.Empty(t, logged.String())
	_, err = net.Dial("tcp", cfg.addr)
	require.Error(t, err)
}

func TestBusyAddressLeavesNoMonitorBehind(t *testing.T) {
	cfg := loopback(poolRunner)
	cfg.addr = startServer(t, loopback(poolRunner)).addr().String()
	free := tcpListener(t)
	require.NoError(t, free.Close())
	cfg.http = free.Addr().String()
	_, err := openServer(cfg, quiet())
	require.ErrorContains(t, err, cfg.addr)
	_, err = net.Dial("tcp", cfg.http)
	require.Error(t, err)
}

func TestMonitorEndsWithTheServer(t *testing.T) {
	s, err := openServer(monitored(poolRunner), quiet())
	require.NoError(t, err)
	plots := request(t, s, "GET /debug/statsviz/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	_, err = io.ReadFull(plots, make([]byte, len("HTTP/1.1 101")))
	require.NoError(t, err)
	profile := request(t, s, "GET /debug/pprof/trace?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	until(t, "the trace is taken", trace.IsEnabled)
	require.NoError(t, stop(s, patience))
	for _, conn := range []net.Conn{plots, profile} {
		_, err = io.Copy(io.Discard, conn)
		require.NoError(t, err) // the end, and not the deadline
	}
	require.False(t, trace.IsEnabled())
	_, err = net.Dial("tcp", s.monitor.addr())
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
	_, err = net.Dial("tcp", s.monitor.addr())
	require.Error(t, err)
}

// request sends what it is given to the monitor.
func request(t testing.TB, s *server, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.monitor.addr())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	return conn
}

func TestConnectionOfAPageThatWasLeftIsClosed(t *testing.T) {
	var taken net.Conn
	taking := closeTaken(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		taken, _, _ = http.NewResponseController(w).Hijack()
	}))
	returned := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(returned)
		taking.ServeHTTP(w, r)
	}))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: monitor\r\n\r\n")
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	<-returned
	require.NotNil(t, taken)
	_, err = taken.Write([]byte("too late"))
	require.ErrorIs(t, err, net.ErrClosed)
}
