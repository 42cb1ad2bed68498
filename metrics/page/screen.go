package page

import (
	"fmt"
	"html/template"
	"os"
	"runtime"

	"example.com/hemlock"
)

// A view is what is known of one pool: never without a sample.
type view struct {
	name    string
	options *Options
	samples []sample
	waits   *waitReport // nil if none is known
}

func (v view) now() sample { return v.samples[len(v.samples)-1] }

// A screen is what the template is given.
type screen struct {
	Nonce  string
	Styles template.CSS
	Script template.JS

	Program  string
	Process  []fact
	Sampling bool
	Pools    []card
}

// A card is one pool on the page.
type card struct {
	ID      string
	Name    string
	State   string
	Word    string
	Rest    string
	Figures []fact
	Plots   []plot
	Quiet   string // said in place of plots that would be empty
	Totals  []fact
	Options []fact // none if the page was not told
}

// A fact is a figure with its name. A marked one stands out: an option that is not the
// default.
type fact struct {
	Name, Value, Class string
	Marked             bool
}

func (p *Page) screen() screen {
	views, sampling := p.views()
	s := screen{Program: p.program, Process: append(process(), p.before.facts(tasksOf(views))...), Sampling: sampling}
	for i, v := range views {
		s.Pools = append(s.Pools, v.card(fmt.Sprintf("pool-%d", i)))
	}
	return s
}

func process() []fact {
	return []fact{
		{Name: "process", Value: fmt.Sprint(os.Getpid())},
		{Name: "Go", Value: runtime.Version()[len("go"):]},
		{Name: "processors", Value: fmt.Sprint(runtime.GOMAXPROCS(0))},
		{Name: "goroutines", Value: comma(int64(runtime.NumGoroutine()))},
	}
}

func (v view) card(id string) card {
	says := describe(v.options, v.samples)
	now := v.now().Stats
	c := card{
		ID: id, Name: v.name, State: says.state, Word: says.word, Rest: says.rest,
		Figures: []fact{
			{Name: "workers", Value: large(now.Workers)},
			{Name: "idle", Value: large(now.Idle), Class: "idle"},
			{Name: "running", Value: large(now.Running), Class: "running"},
			{Name: "waiting", Value: large(now.Waiting), Class: "waiting", Marked: now.Waiting > 0},
		},
		Totals: append(totals(now), v.waits.facts()...),
	}
	switch seen := columnsOf(v.samples); {
	case !seen.uneventful():
		c.Plots = plots(id, v.samples, seen)
	case now.Submitted == 0:
		c.Quiet = "The plots begin with the first task."
	default:
		c.Quiet = "Nothing happened in the " + newTimeline(v.samples).words() + "."
	}
	if v.options != nil {
		c.Options = v.options.facts()
	}
	return c
}

func totals(s hemlock.Stats) []fact {
	return []fact{
		{Name: "submitted", Value: comma(s.Submitted)},
		{Name: "completed", Value: comma(s.Completed)},
		{Name: "panicked", Value: comma(s.Panicked), Marked: s.Panicked > 0},
		{Name: "spawned", Value: comma(s.Spawned)},
		{Name: "killed", Value: comma(s.Killed)},
		{Name: "recycled", Value: comma(s.Recycled)},
		{Name: "peak workers", Value: comma(s.PeakWorkers)},
	}
}

func (o Options) facts() []fact {
	usual := Defaults()
	interval, tasks, handler := duration(o.KillInterval), comma(int64(o.MaxTasksPerWorker)), "none"
	if o.KillInterval == 0 {
		interval = "never"
	}
	if o.MaxTasksPerWorker == 0 {
		tasks = "no limit"
	}
	if o.PanicHandler {
		handler = "set"
	}
	return []fact{
		{Name: "kill interval", Value: interval, Marked: o.KillInterval != usual.KillInterval},
		{Name: "kill delay", Value: duration(o.KillDelay), Marked: o.KillDelay != usual.KillDelay},
		{Name: "minimum workers", Value: comma(int64(o.MinWorkers)), Marked: o.MinWorkers != usual.MinWorkers},
		{Name: "tasks per worker", Value: tasks, Marked: o.MaxTasksPerWorker != usual.MaxTasksPerWorker},
		{Name: "panic handler", Value: handler, Marked: o.PanicHandler},
	}
}
