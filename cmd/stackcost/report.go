package main

import "math"

const (
	most = 10 // sites and go statements that a report names
	few  = 3  // places of each kind that it names for a site
)

// A report is the answer and what it rests on. All shares are of the processor
// time in the profile, in percent.
type report struct {
	Answer  string `json:"answer"`  // yes, no or unknown
	Because string `json:"because"` // one sentence

	Source  string  `json:"source"`
	Seconds float64 `json:"seconds"`     // of real time; 0 if the profile does not say
	CPU     float64 `json:"cpu_seconds"` // of processor time
	Samples int64   `json:"samples"`

	Growing   counted `json:"growing"`   // stacks
	Starting  counted `json:"starting"`  // goroutines, and putting away their remains
	Waking    counted `json:"waking"`    // processors for new goroutines
	Shrinking counted `json:"shrinking"` // stacks, by garbage collections

	Sites      []siteReport `json:"sites"`
	Statements []place      `json:"go_statements"`
	Options    []option     `json:"options"`
	Notes      []string     `json:"notes"`

	boxes []box // the flame graph
}

// counted is a share that was counted in samples. Off is two standard deviations.
type counted struct {
	Percent float64 `json:"percent"`
	Off     float64 `json:"off"`
}

type siteReport struct {
	Entry    string  `json:"entry"`
	At       string  `json:"at"`
	Code     string  `json:"code"`           // yours, library or standard library
	Kept     string  `json:"kept,omitempty"` // what keeps the goroutines for further tasks
	Percent  float64 `json:"percent"`        // everything that runs on these goroutines
	Growing  float64 `json:"growing_percent"`
	Starting float64 `json:"starting_percent"` // at the go statements below

	Started  []place `json:"started"`  // go statements that are theirs for certain
	Handlers []place `json:"handlers"` // your functions below which stacks grow
	Needs    []place `json:"needs"`    // functions that needed the stack
}

// A place is a function, or a line of it, and its share.
type place struct {
	Function string  `json:"function"`
	At       string  `json:"at"`
	Percent  float64 `json:"percent"`
}

// An option is something that can be done.
type option struct {
	With string  `json:"with"` // Run, Do or nothing
	Low  float64 `json:"low_percent"`
	High float64 `json:"high_percent"`
	How  string  `json:"how"` // the figures are derived
}

func newReport(source string, v *survey) *report {
	f := v.forecast()
	r := &report{
		Source:     source,
		Seconds:    v.took.Seconds(),
		CPU:        float64(v.nanos) / 1e9,
		Samples:    v.ticks,
		Growing:    v.counted(v.spent[growing]),
		Starting:   v.counted(v.spent[starting]),
		Waking:     v.counted(v.spent[waking]),
		Shrinking:  v.counted(v.spent[shrinking]),
		Sites:      v.siteReports(),
		Statements: v.places(v.statements, most, frame.at),
		Options:    v.options(f),
		Notes:      v.notes(f),
		boxes:      v.boxes(v.flame()),
	}
	r.Answer, r.Because = v.answer(f)
	return r
}

// percent rounds to what a profile can tell at best.
func percent(share float64) float64 { return math.Round(share*1000)/10 + 0 }

func (v *survey) percent(ticks int64) float64 { return percent(v.share(ticks)) }

func (v *survey) counted(ticks int64) counted {
	return counted{v.percent(ticks), percent(v.doubt(v.share(ticks)))}
}

func (v *survey) siteReports() []siteReport {
	list := []siteReport{}
	for _, at := range v.sites {
		if len(list) == most || at.growing+at.starting == 0 {
			continue
		}
		list = append(list, siteReport{
			Entry:    at.entry.name,
			At:       at.entry.begins(),
			Code:     v.origins.of(at.entry).String(),
			Kept:     at.kept,
			Percent:  v.percent(at.ticks),
			Growing:  v.percent(at.growing),
			Starting: v.percent(at.starting),
			Started:  v.places(at.statements, few, frame.at),
			Handlers: v.places(at.handlers, few, frame.begins),
			Needs:    v.places(at.needs, few, frame.begins),
		})
	}
	return list
}

// places returns the first n of the tally.
func (v *survey) places(t tally, n int, where func(frame) string) []place {
	list := []place{}
	for _, f := range t.top(n) {
		list = append(list, place{f.name, where(f), v.percent(t[f])})
	}
	return list
}
