package page_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

// defaults returns the options of a pool that was made without any.
func defaults() *page.Options {
	o := page.Defaults()
	return &o
}

func TestHandlerRefusesWhatItCannotShow(t *testing.T) {
	pool := hemlock.New()
	for what, pools := range map[string][]page.Pool{
		"no pool":               nil,
		"empty pool name":       {{Pool: pool}},
		`"\xff" is not valid`:   {{Name: "\xff", Pool: pool}},
		`pool "dns" is nil`:     {{Name: "dns"}},
		`name "dns" is taken`:   {{Name: "dns", Pool: pool}, {Name: "dns", Pool: hemlock.New()}},
		`"dns": an option is n`: {{Name: "dns", Pool: pool, Options: &page.Options{KillDelay: -1}}},
	} {
		p, err := page.Handler(pools...)
		require.ErrorContains(t, err, what)
		require.Nil(t, p)
	}
	require.Panics(t, func() { _, _ = page.Handler(page.Pool{Name: "zero", Pool: new(hemlock.Pool)}) })
}

// document is the JSON of the page, as a reader of it would declare it.
type document struct {
	Time    time.Time
	Program string
	Sampler bool

	StartedPerTask *float64 `json:"goroutines_started_per_task"`

	Pools []struct {
		Name, State, Says string
		Stats             hemlock.Stats
		Waits             *struct {
			P50 float64 `json:"p50_seconds"`
			P99 float64 `json:"p99_seconds"`
		}
		Options map[string]any
		Past    struct {
			AgeSeconds      []float64  `json:"age_seconds"`
			Running         []int64    `json:"running"`
			Idle            []int64    `json:"idle"`
			Waiting         []int64    `json:"waiting"`
			TasksPerSecond  []*float64 `json:"tasks_per_second"`
			SpawnsPerSecond []*float64 `json:"spawns_per_second"`
			KillsPerSecond  []*float64 `json:"kills_per_second"`
		}
	}
}

func read(t *testing.T, p *page.Page) document {
	t.Helper()
	w := get(p, "format=json")
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "application/json; charset=utf-8", w.Header().Get("Content-Type"))
	var d document
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &d))
	return d
}

func TestJSONHasTheFiguresAndThePast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pool := hemlock.New(hemlock.WithKillInterval(0))
		p := newPage(t, page.Pool{Name: "dns", Pool: pool, Options: &page.Options{KillDelay: time.Second, MinWorkers: 3}},
			page.Pool{Name: "untold", Pool: hemlock.New()})
		read(t, p)
		time.Sleep(2 * time.Second)
		for range 10 {
			pool.Run(func() {})
		}
		synctest.Wait()
		d := read(t, p)
		require.Len(t, d.Pools, 2)
		got := d.Pools[0]
		require.Equal(t, "dns", got.Name)
		require.Equal(t, pool.Stats(), got.Stats)
		require.EqualValues(t, 1, got.Options["kill_delay_seconds"])
		require.EqualValues(t, 3, got.Options["min_workers"])
		require.Equal(t, []float64{2, 0}, got.Past.AgeSeconds)
		require.Equal(t, []int64{0, pool.Stats().Idle}, got.Past.Idle)
		require.Nil(t, got.Past.TasksPerSecond[0], "of the first sample no rate is known")
		require.EqualValues(t, 5, *got.Past.TasksPerSecond[1])
		require.InDelta(t, float64(pool.Stats().Spawned)/2, *got.Past.SpawnsPerSecond[1], 1e-9)
		require.Nil(t, d.Pools[1].Options, "null where nothing was told")
		require.False(t, d.Sampler)
		require.NoError(t, pool.Shutdown(t.Context()))
	})
}

func TestPageCanOnlyBeReadAndInKnownFormats(t *testing.T) {
	p := newPage(t, page.Pool{Name: "dns", Pool: hemlock.New()})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/", nil))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
	require.Equal(t, http.StatusBadRequest, get(p, "format=xml").Code)
}

func TestPageRunsNoScriptBesideItsOwn(t *testing.T) {
	p := newPage(t, page.Pool{Name: `</script><script>alert(1)</script>" onload="alert(2)`, Pool: hemlock.New(), Options: defaults()})
	first, second := get(p, ""), get(p, "")
	policy := first.Header().Get("Content-Security-Policy")
	require.NotEqual(t, policy, second.Header().Get("Content-Security-Policy"), "a nonce is used once")
	nonce := regexp.MustCompile(`script-src 'nonce-(\w{26,})'`).FindStringSubmatch(policy)
	require.NotNil(t, nonce, policy)
	require.Contains(t, policy, "default-src 'none'")
	html := first.Body.String()
	require.Equal(t, 1, strings.Count(html, "<script"))
	require.Contains(t, html, `<script nonce="`+nonce[1]+`">`)
	require.NotContains(t, html, `" onload="alert`)
	require.NotRegexp(t, `(src|href)="?(https?:)?//`, html, "nothing from elsewhere")
	require.Equal(t, "no-store", first.Header().Get("Cache-Control"))
}

func TestOptionsThatAreNotTheDefaultsStandOut(t *testing.T) {
	options := page.Defaults()
	options.MinWorkers = 12_345
	p := newPage(t, page.Pool{Name: "dns", Pool: hemlock.New(), Options: &options})
	options.MinWorkers = 7 // of another pool: the page has a copy
	html := get(p, "").Body.String()
	require.Contains(t, html, `<div class="marked"><dt>minimum workers</dt><dd>12,345</dd></div>`)
	require.Contains(t, html, `<div><dt>kill delay</dt><dd>10 s</dd></div>`)
	require.NotContains(t, html, "was not told")

	p = newPage(t, page.Pool{Name: "dns", Pool: hemlock.New()})
	html = get(p, "").Body.String()
	require.NotContains(t, html, "kill delay")
	require.Contains(t, html, "was not told")
}

func TestSamplerLooksOnceASecondUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		p := page.Over("dns", nil, func() hemlock.Stats { looks++; return hemlock.Stats{} })
		time.Sleep(time.Hour)
		require.Zero(t, looks, "nothing runs that was not started")
		ctx, cancel := context.WithCancel(t.Context())
		go p.Sample(ctx)
		time.Sleep(10*time.Second - time.Nanosecond)
		synctest.Wait()
		require.Equal(t, 10, looks)
		require.True(t, read(t, p).Sampler)
		cancel()
		synctest.Wait()
		time.Sleep(time.Hour)
		require.Equal(t, 11, looks, "one more for the reader")
		require.False(t, read(t, p).Sampler)
	})
}

func TestThePastIsTenMinutesHoweverManyLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := page.Over("dns", nil, func() hemlock.Stats { return hemlock.Stats{} })
		go p.Sample(t.Context())
		for range 13 * 60 * 4 {
			time.Sleep(250 * time.Millisecond)
			p.Look()
		}
		ages := read(t, p).Pools[0].Past.AgeSeconds
		require.GreaterOrEqual(t, ages[0], 599.0)
		require.LessOrEqual(t, ages[0], 600.0)
		require.Zero(t, ages[len(ages)-1])
		for i := 1; i < len(ages)-1; i++ {
			require.InDelta(t, 1, ages[i-1]-ages[i], 0.26)
		}
	})
}

func TestLineIsBrokenWhereNoSampleWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := hemlock.Stats{Workers: 5, Running: 5, Submitted: 5}
		p := page.Over("dns", nil, func() hemlock.Stats { return now })
		look := func(after time.Duration) {
			time.Sleep(after)
			now.Completed += 10
			p.Look()
		}
		look(0)
		look(time.Second)
		look(14 * time.Second)
		look(15 * time.Second)
		look(time.Second)
		html := get(p, "").Body.String()
		line := regexp.MustCompile(`<g class="running"><path[^>]*/><path class="line" d="([^"]*)"`).FindStringSubmatch(html)
		require.NotNil(t, line)
		require.Equal(t, 2, strings.Count(line[1], "M"), line[1])
		rates := read(t, p).Pools[0].Past.TasksPerSecond
		require.Nil(t, rates[3])
		require.NotNil(t, rates[2])
		require.EqualValues(t, 10, *rates[4])
	})
}

func TestSampleAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // in which the history keeps each sample
		pool := hemlock.New()
		p := newPage(t, page.Pool{Name: "a", Pool: pool}, page.Pool{Name: "b", Pool: pool})
		require.Zero(t, testing.AllocsPerRun(1000, func() { time.Sleep(time.Second); p.Look() }))
	})
}

// BenchmarkSample is the work of Page.Sample in one second, for one pool.
func BenchmarkSample(b *testing.B) {
	p := newPage(b, page.Pool{Name: "dns", Pool: hemlock.New()})
	b.ReportAllocs()
	for b.Loop() {
		p.Look()
	}
}

// BenchmarkPage is what one look at ten minutes of one pool costs.
func BenchmarkPage(b *testing.B) {
	p := full(b)
	b.ReportAllocs()
	for b.Loop() {
		get(p, "format=contents")
	}
}

// full returns a page with ten minutes of samples.
func full(tb testing.TB) *page.Page {
	tb.Helper()
	now := hemlock.Stats{}
	p := page.Over("dns", defaults(), func() hemlock.Stats {
		now.Completed += 12_345
		now.Workers = now.Completed % 977
		now.Idle = now.Workers / 3
		now.Running = now.Workers - now.Idle
		return now
	})
	p.Fill()
	return p
}

// With a go statement there would be a goroutine for each task.
func TestPageShowsHowManyGoroutinesWereStartedPerTask(t *testing.T) {
	pool := hemlock.New()
	work := func() {
		for range 1000 {
			pool.Do(func() {})
		}
	}
	work()
	p := newPage(t, page.Pool{Name: "dns", Pool: pool})
	const shown = "goroutines started per task"
	require.Nil(t, read(t, p).StartedPerTask, "no task since the page was made")
	require.NotContains(t, get(p, "").Body.String(), shown)
	work()
	if strings.HasPrefix(runtime.Version(), "go1.25") {
		require.Nil(t, read(t, p).StartedPerTask, "the runtime does not say")
		require.NotContains(t, get(p, "").Body.String(), shown)
		return
	}
	require.Less(t, *read(t, p).StartedPerTask, 0.5, "the pool starts none")
	for range 3000 {
		started := make(chan struct{})
		go close(started)
		<-started
	}
	require.InDelta(t, 3, *read(t, p).StartedPerTask, 0.5)
	require.Regexp(t, shown+" <b>(3|2[.]9|3[.][0-4])</b>", get(p, "").Body.String())
	require.NoError(t, pool.Shutdown(t.Context()))
}
