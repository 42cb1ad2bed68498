package main

import (
	"context"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock/internal/pooltest"
	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// shortScript has the shape of the full one, with fewer questions, and with time for a
// machine with other work.
func shortScript() script {
	return script{within: patience, firstTry: patience / 8, phases: []phase{
		{name: "quiet", bursts: 5, every: 5 * time.Millisecond, udp: 1, tcp: 1, atOnce: 2},
		{name: "spike", bursts: 2, every: 50 * time.Millisecond, udp: 2, tcp: 2, atOnce: 50, stagger: true},
		{name: "quiet", bursts: 50, every: 5 * time.Millisecond, udp: 1, tcp: 1, atOnce: 1},
	}}
}

// only is a script with a single phase.
func only(p phase) script {
	return script{within: patience, firstTry: patience / 8, phases: []phase{p}}
}

func demoConfig(runner string) config {
	cfg := loopback(runner)
	cfg.latency = 5 * time.Millisecond
	return cfg
}

func TestDemoEndsWithItsScore(t *testing.T) {
	const asked = "520"
	for name, noun := range map[string]string{poolRunner: "workers", goRunner: "goroutines"} {
		t.Run(name, func(t *testing.T) {
			var out, logged pooltest.Log
			require.NoError(t, runDemo(t.Context(), demoConfig(name), shortScript(), &out, textLog(&logged)))
			printed := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			last := regexp.MustCompile(`^demo: (\d+) queries, (\d+) answered, 0 lost; peak (\d+) ` + noun + `, now (\d+)$`).
				FindStringSubmatch(printed[len(printed)-1])
			require.NotNil(t, last, out.String())
			require.Equal(t, []string{asked, asked}, last[1:3])
			require.Less(t, number(t, last[4]), number(t, last[3]))
			require.Contains(t, logged.String(), "drained")
		})
	}
}

func number(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}

func TestFullScriptKeepsWhatTheDemoPromises(t *testing.T) {
	asked, length := 0, time.Duration(0)
	for _, p := range fullScript.phases {
		require.LessOrEqual(t, p.atOnce, 200, "questions at once on one socket")
		asked += p.bursts * (p.udp + p.tcp) * p.atOnce
		length += time.Duration(p.bursts+1) * p.every
	}
	require.GreaterOrEqual(t, asked, 5000)
	require.Less(t, length, fullScript.within)
	require.Less(t, fullScript.within+demoDrain, 20*time.Second)
}

func TestDemoPrintsALineOfCountsASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(spawner)
		var out pooltest.Log
		d := &demo{server: &server{runner: r}, out: &out, begin: time.Now()}
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		d.phase.Store(&phase{name: "spike"})
		r.Run(func() { time.Sleep(1500 * time.Millisecond) })
		d.report(ctx)
		require.Regexp(t, `^  1s spike: workers=1 .*\n  2s spike: workers=0 .* completed=1 .*peak_workers=1\n$`, out.String())
	})
}

// The demo must be able to fail, or its success would mean nothing.
func TestDemoReportsWhatIsWrongOrLost(t *testing.T) {
	book := shippedResponder(t).zone.book()
	for _, e := range book {
		e.want.Rcode ^= 1
	}
	s, err := openServer(loopback(poolRunner), quiet())
	require.NoError(t, err)
	all := only(phase{name: "all", bursts: 1, udp: 1, atOnce: len(book)})
	d := newDemo(s, book, all, io.Discard)
	require.NoError(t, d.play(t.Context()))
	require.Equal(t, []int{len(book), len(book), len(book)}, []int{d.score.asked, d.score.answered, d.score.wrong})
	require.ErrorContains(t, d.score.fault(), ": rcode ")

	require.NoError(t, stop(s, patience))
	for _, network := range []phase{{udp: 1}, {tcp: 1}} {
		network.bursts, network.atOnce = 1, 3
		d := newDemo(s, book, only(network), io.Discard)
		require.NoError(t, d.play(t.Context()))
		require.Equal(t, 3, d.score.asked)
		require.ErrorContains(t, d.score.fault(), "3 lost, 0 wrong, the first: ")
	}
}

// After a demo a person can look at what it left, whether it passed or not.
func TestDemoWithAMonitorServesUntilInterrupted(t *testing.T) {
	for name, c := range map[string]struct {
		interval time.Duration // of the killer; with 0 the demo fails
		err      string
	}{"passed": {time.Millisecond, ""}, "failed": {0, "demo: still "}} {
		t.Run(name, func(t *testing.T) {
			cfg := demoConfig(poolRunner)
			cfg.http, cfg.killInterval = "127.0.0.1:0", c.interval
			var out, logged pooltest.Log
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			ended := make(chan error, 1)
			go func() { ended <- runDemo(ctx, cfg, shortScript(), &out, textLog(&logged)) }()
			pooltest.Eventually(t, func() bool { return strings.Contains(logged.String(), "serving until interrupted") }, "it waits")
			require.Regexp(t, `demo: 520 queries, 520 answered, 0 lost; peak \d+ workers, now \d+\n$`, out.String())

			require.Empty(t, ended)
			interrupt()
			if err := <-ended; c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			require.Contains(t, logged.String(), "drained")
		})
	}
}

func TestDemoEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	endless := only(phase{name: "endless", bursts: 1000, every: time.Hour, udp: 1, tcp: 1, atOnce: 1})
	err := runDemo(ctx, demoConfig(poolRunner), endless, io.Discard, quiet())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

// An expectation is worth something only if it can fail.
func TestExpectationTellsAnswersApart(t *testing.T) {
	r := shippedResponder(t)
	book := r.zone.book()
	kinds := map[int]int{}
	for i, e := range book {
		kinds[e.want.Rcode]++
		answer := func() *dns.Msg { return r.ask(t, e.query(2), overTCP) }
		require.NoError(t, e.check(answer()), e)
		for name, spoil := range map[string]func(m *dns.Msg){
			"question":      func(m *dns.Msg) { m.Question[0].Qtype++ },
			"response":      func(m *dns.Msg) { m.Response = false },
			"rcode":         func(m *dns.Msg) { m.Rcode ^= 1 },
			"authority":     func(m *dns.Msg) { m.Authoritative = !m.Authoritative },
			"a record more": func(m *dns.Msg) { m.Answer = append(m.Answer, r.zone.records[0]) },
			"TTL": func(m *dns.Msg) {
				for _, rr := range append(m.Answer, m.Ns...) {
					rr.Header().Ttl--
				}
				m.Response = len(m.Answer)+len(m.Ns) > 0 // there may be none
			},
		} {
			m := answer()
			spoil(m)
			require.Error(t, e.check(m), "%v: %s", e, name)
		}
		other := r.ask(t, book[(i+1)%len(book)].query(2), overTCP)
		require.Error(t, e.check(other), "the answer to another question")
	}
	require.Greater(t, kinds[dns.RcodeSuccess], 50)
	require.Positive(t, kinds[dns.RcodeNameError])
	require.Positive(t, kinds[dns.RcodeRefused])
}
