package main

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"time"

	"example.com/hemlock"
	"github.com/arl/statsviz"
)

// A plot is a diagram of the page over time. The page has one for nearly
// everything that the runtime measures; ours come last.
type plot struct {
	name   string // of the element on the page that holds it
	title  string
	unit   string
	info   string
	series []series
}

type series struct {
	name  string
	value func() float64 // called once a second, by one goroutine
}

// newPlots starts to take samples for the page.
//
// Release 0.8.2 of the library gives these plots no category, and its page stops
// setting up its buttons at the first of them: the plots are drawn, but they
// cannot be hidden, and the page shows the last minute whatever range is chosen.
func newPlots(p *hemlock.Pool) (*statsviz.Server, error) {
	var options []statsviz.Option
	for _, d := range ourPlots(p) {
		built, err := d.build()
		if err != nil {
			return nil, fmt.Errorf("plot %s: %w", d.name, err)
		}
		options = append(options, statsviz.TimeseriesPlot(built))
	}
	return statsviz.NewServer(options...)
}

func (d plot) build() (statsviz.TimeSeriesPlot, error) {
	config := statsviz.TimeSeriesPlotConfig{
		Name:       d.name,
		Title:      d.title,
		Type:       statsviz.Scatter,
		InfoText:   d.info,
		YAxisTitle: d.unit,
	}
	for _, s := range d.series {
		config.Series = append(config.Series, statsviz.TimeSeries{
			Name: s.name, Unitfmt: "%{y:.4s}", HoverOn: statsviz.HoverOnPoints, GetValue: s.value,
		})
	}
	return config.Build()
}

// ourPlots are those of the pool, if there is one, and those by which a pool should be
// judged.
func ourPlots(p *hemlock.Pool) []plot {
	if p == nil {
		return processPlots()
	}
	return append(poolPlots(p), processPlots()...)
}

func poolPlots(p *hemlock.Pool) []plot {
	total := func(of func(hemlock.Stats) int64) func() float64 {
		return perSecond(func() int64 { return of(p.Stats()) })
	}
	return []plot{
		{"pool-workers", "Pool: workers", "workers", "Goroutines that the pool keeps, by whether they have a task.", []series{
			{"idle", func() float64 { return float64(p.Stats().Idle) }},
			{"running", func() float64 { return float64(p.Stats().Running) }},
		}},
		{"pool-waiting", "Pool: tasks that wait", "tasks", "Tasks that wait for a processor.", []series{
			{"waiting", func() float64 { return float64(p.Stats().Waiting) }},
		}},
		{"pool-tasks", "Pool: tasks", "tasks per second", "Each query is one task.", []series{
			{"submitted", total(func(s hemlock.Stats) int64 { return s.Submitted })},
			{"completed", total(func(s hemlock.Stats) int64 { return s.Completed })},
		}},
		{"pool-turnover", "Pool: turnover", "workers per second", "Workers started because none was idle, killed while idle, and replaced after their last task.", []series{
			{"spawned", total(func(s hemlock.Stats) int64 { return s.Spawned })},
			{"killed", total(func(s hemlock.Stats) int64 { return s.Killed })},
			{"recycled", total(func(s hemlock.Stats) int64 { return s.Recycled })},
		}},
	}
}

func processPlots() []plot {
	return []plot{
		{"process-goroutines", "Process: goroutines", "goroutines", "All goroutines, those of the pool among them.", []series{
			{"goroutines", func() float64 { return float64(runtime.NumGoroutine()) }},
		}},
		{"process-stacks", "Process: stack memory", "bytes", "Memory that holds stacks, <b>/memory/classes/heap/stacks:bytes</b>.", []series{
			{"stacks", stackBytes},
		}},
	}
}

// stackBytes returns how much memory holds the stacks of goroutines.
func stackBytes() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}

// perSecond returns how fast the total has risen since the last call, and 0 where no
// time has passed: neither NaN nor an infinity can be sent to the page.
func perSecond(total func() int64) func() float64 {
	last, at := total(), time.Now()
	return func() float64 {
		now, elapsed := total(), time.Since(at)
		if elapsed <= 0 {
			return 0
		}
		rise := float64(now - last)
		last, at = now, at.Add(elapsed)
		return rise / elapsed.Seconds()
	}
}
