package page

import (
	"math"
	"time"

	"example.com/hemlock"
)

// A report is the page as JSON.
type report struct {
	Time    time.Time `json:"time"`
	Program string    `json:"program"`
	Sampler bool      `json:"sampler"`

	// StartedPerTask is null where it is not known.
	StartedPerTask *float64 `json:"goroutines_started_per_task"`

	Pools []poolReport `json:"pools"`
}

type poolReport struct {
	Name    string         `json:"name"`
	State   string         `json:"state"`
	Says    string         `json:"says"`
	Stats   hemlock.Stats  `json:"stats"`
	Waits   *waitReport    `json:"waits"`   // null if none is known
	Options *optionsReport `json:"options"` // null if the page was not told
	Past    past           `json:"past"`
}

// optionsReport has times in seconds, as Prometheus and its like have.
type optionsReport struct {
	KillIntervalSeconds float64 `json:"kill_interval_seconds"`
	KillDelaySeconds    float64 `json:"kill_delay_seconds"`
	MinWorkers          int     `json:"min_workers"`
	MaxTasksPerWorker   int     `json:"max_tasks_per_worker"`
	PanicHandler        bool    `json:"panic_handler"`
}

// past is the plots: columns of the same length, oldest sample first. A rate is
// null where it is not known.
type past struct {
	AgeSeconds      []float64  `json:"age_seconds"`
	Running         []float64  `json:"running"`
	Idle            []float64  `json:"idle"`
	Waiting         []float64  `json:"waiting"`
	TasksPerSecond  []*float64 `json:"tasks_per_second"`
	SpawnsPerSecond []*float64 `json:"spawns_per_second"`
	KillsPerSecond  []*float64 `json:"kills_per_second"`
}

func (p *Page) report() report {
	views, sampling := p.views()
	r := report{Time: time.Now(), Program: p.program, Sampler: sampling, StartedPerTask: p.before.perTask(tasksOf(views))}
	for _, v := range views {
		says := describe(v.options, v.samples)
		r.Pools = append(r.Pools, poolReport{
			Name: v.name, State: says.state, Says: says.String(),
			Stats: v.now().Stats, Waits: v.waits, Options: v.options.report(), Past: v.past(),
		})
	}
	return r
}

func (o *Options) report() *optionsReport {
	if o == nil {
		return nil
	}
	return &optionsReport{
		o.KillInterval.Seconds(), o.KillDelay.Seconds(), o.MinWorkers, o.MaxTasksPerWorker, o.PanicHandler,
	}
}

func (v view) past() past {
	c := columnsOf(v.samples)
	p := past{
		Running:         c.running.values,
		Idle:            c.idle.values,
		Waiting:         c.waiting.values,
		TasksPerSecond:  nullable(c.tasks.values),
		SpawnsPerSecond: nullable(c.spawns.values),
		KillsPerSecond:  nullable(c.kills.values),
	}
	for _, s := range v.samples {
		p.AgeSeconds = append(p.AgeSeconds, math.Round((v.now().at-s.at).Seconds()*1000)/1000)
	}
	return p
}

// nullable makes of NaN, which JSON does not have, nil.
func nullable(values []float64) []*float64 {
	list := make([]*float64, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			list[i] = &v
		}
	}
	return list
}
