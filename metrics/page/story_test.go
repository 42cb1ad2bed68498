package page_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

// A story is ten minutes of load on pools. The pools are real; the time is that
// of a bubble, so that it takes seconds.
type story struct {
	length time.Duration
	pools  []told
}

// told is one pool of a story and its load.
type told struct {
	name    string
	options *page.Options
	rate    func(t float64) float64 // tasks a second, t seconds before the end
	takes   time.Duration           // that each task sleeps
}

// peak is a bell around the time, in seconds before the end.
func peak(t, around, width, height float64) float64 {
	return height * math.Exp(-(t-around)*(t-around)/(2*width*width))
}

var spikes = told{
	name:    "queries",
	options: defaults(),
	rate: func(t float64) float64 {
		return 240 + 60*math.Sin(t/40) + peak(t, 470, 9, 2600) + peak(t, 250, 14, 1500) + peak(t, 46, 8, 4200)
	},
	takes: 240 * time.Millisecond,
}

var atMinimum = told{
	name: "streams",
	options: &page.Options{
		KillInterval: 250 * time.Millisecond, KillDelay: 5 * time.Second, MinWorkers: 64, MaxTasksPerWorker: 1 << 16, PanicHandler: true,
	},
	rate:  func(t float64) float64 { return 12 + 3*math.Sin(t/25) + peak(t, 330, 25, 110) },
	takes: 900 * time.Millisecond,
}

var atRest = told{name: "mail", options: defaults(), rate: func(t float64) float64 { return peak(t, 400, 20, 30) }, takes: 500 * time.Millisecond}

var unused = told{name: "reports", rate: func(float64) float64 { return 0 }}

// tell returns what the page answers at the end of the story, for ever.
func (s story) tell(t *testing.T) http.Handler {
	t.Helper()
	answers := map[string]*httptest.ResponseRecorder{}
	synctest.Test(t, func(t *testing.T) {
		var shown []page.Pool
		var load sync.WaitGroup
		for _, each := range s.pools {
			pool := poolOf(each.options)
			defer func() { require.NoError(t, pool.Shutdown(context.Background())) }()
			shown = append(shown, page.Pool{Name: each.name, Pool: pool, Options: each.options})
			load.Go(func() { each.drive(pool, s.length) })
		}
		pages := newPage(t, shown...)
		pages.SetProgram("example")
		go pages.Sample(t.Context())
		time.Sleep(s.length)
		synctest.Wait()
		for _, query := range []string{"", "format=contents", "format=json"} {
			answers[query] = get(pages, query)
		}
		load.Wait()
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := answers[r.URL.RawQuery]
		maps.Copy(w.Header(), answer.Header())
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// poolOf returns a pool with the options, or with the defaults if there are none.
func poolOf(o *page.Options) *hemlock.Pool {
	if o == nil {
		return hemlock.New()
	}
	return hemlock.New(hemlock.WithKillInterval(o.KillInterval), hemlock.WithKillDelay(o.KillDelay),
		hemlock.WithMinWorkers(o.MinWorkers), hemlock.WithMaxTasksPerWorker(o.MaxTasksPerWorker))
}

// drive submits at the rate, with some noise, until the story ends.
func (s told) drive(pool *hemlock.Pool, length time.Duration) {
	const tick = 50 * time.Millisecond
	random := rand.New(rand.NewPCG(1, 2))
	due := 0.0
	for begin := time.Now(); time.Since(begin) < length-tick; time.Sleep(tick) {
		left := (length - time.Since(begin)).Seconds()
		due += s.rate(left) * tick.Seconds() * (0.6 + 0.8*random.Float64())
		for ; due >= 1; due-- {
			takes := time.Duration(float64(s.takes) * (0.7 + 0.6*random.Float64()))
			pool.Run(func() { time.Sleep(takes) })
		}
	}
}

// get asks the page, as a browser would.
func get(p *page.Page, query string) *httptest.ResponseRecorder { return ask(p, "localhost", query) }
