// Package report holds what a run has measured, and makes the tables.
package report

import (
	"fmt"
	"slices"
	"time"

	"example.com/hemlock/bench/internal/figures"
	"example.com/hemlock/bench/servers/internal/drive"
	"example.com/hemlock/bench/servers/internal/process"
)

// A Report is what a run measured.
type Report struct {
	Machine  figures.Machine `json:"machine"`
	Settings Settings        `json:"settings"`
	Modules  []Module        `json:"modules"`

	// Rounds is how many rounds there were. Cut says why there were fewer than
	// Settings.Rounds, or why they were shorter. It is empty if neither holds.
	Rounds int    `json:"rounds"`
	Cut    string `json:"cut,omitempty"`

	Measurements []Measurement `json:"measurements"`
}

// Settings are those of the user.
type Settings struct {
	Rounds      int           `json:"rounds"`
	Duration    time.Duration `json:"duration_ns"`
	Warmup      time.Duration `json:"warmup_ns"`
	Garbage     int           `json:"garbage_bytes"`
	Connections int           `json:"connections"`
	GOGC        string        `json:"gogc,omitempty"`
	GODEBUG     string        `json:"godebug,omitempty"`
	Budget      time.Duration `json:"budget_ns,omitempty"`
	Rates       []int         `json:"rates_percent,omitempty"`
}

// A Module is a library that a server is made with.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
}

// A Cell is one combination of what is varied beside the mode.
type Cell struct {
	Target  string `json:"target"`
	Stack   int    `json:"stack_kib"`
	Ballast int    `json:"ballast_mib"`
	Callers int    `json:"callers"`

	// Load is the rate at which calls are due, in percent of what the baseline
	// does without a load. 0: none, each caller asks when it has its answer.
	Load int `json:"load_percent,omitempty"`
}

// String returns the cell in words.
func (c Cell) String() string {
	return fmt.Sprintf("%s, %d KiB, %d MiB, %d callers, load %s", c.Target, c.Stack, c.Ballast, c.Callers, c.load())
}

func (c Cell) load() string {
	if c.Load == 0 {
		return figures.Nothing
	}
	return fmt.Sprintf("%d %%", c.Load)
}

// A Measurement is one server in one round.
type Measurement struct {
	Cell
	Mode  string `json:"mode"`
	Round int    `json:"round"`
	drive.Result

	// Offered is how many calls were due a second, on average; 0 without a load.
	Offered float64 `json:"offered_per_second,omitempty"`

	// The counts of the server around the measured time.
	Before process.Counts `json:"before"`
	After  process.Counts `json:"after"`

	// Shares of the server's processor time; nil without a profile.
	Shares map[string]float64 `json:"shares,omitempty"`
}

// Cells returns the cells in the order in which they were measured first.
func (r *Report) Cells() []Cell {
	var cells []Cell
	for _, m := range r.Measurements {
		if !slices.Contains(cells, m.Cell) {
			cells = append(cells, m.Cell)
		}
	}
	return cells
}

// loaded returns the cells with a load, and the same cells without.
func (r *Report) loaded() []Cell {
	free := map[Cell]bool{}
	all := r.Cells()
	for _, c := range all {
		if c.Load > 0 {
			c.Load = 0
			free[c] = true
		}
	}
	return slices.DeleteFunc(all, func(c Cell) bool {
		c.Load = 0
		return !free[c]
	})
}

// Modes returns the modes of the cell in the order of the first round, in which
// the baseline comes first.
func (r *Report) Modes(cell Cell) []string {
	var modes []string
	for _, m := range r.Measurements {
		if m.Cell == cell && m.Round == 0 {
			modes = append(modes, m.Mode)
		}
	}
	return modes
}

// Failed returns how many calls had no answer or a wrong one.
func (r *Report) Failed() (failed int) {
	for _, m := range r.Measurements {
		failed += m.Failed
	}
	return failed
}
