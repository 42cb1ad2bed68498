package page

import (
	"runtime/metrics"
	"strconv"
)

// starts counts the goroutines that the process has started, beside the tasks of the
// pools: a go statement would have started one for each.
type starts struct {
	started uint64 // goroutines, since the process began
	tasks   int64  // submitted to the pools of the page
}

// started returns how many goroutines the process has started. The runtime does not say
// before Go 1.26.
func started() (n uint64, known bool) {
	read := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(read)
	if read[0].Value.Kind() != metrics.KindUint64 {
		return 0, false
	}
	return read[0].Value.Uint64(), true
}

// tasksOf returns how many tasks the pools have accepted.
func tasksOf(views []view) (sum int64) {
	for _, v := range views {
		sum += v.now().Submitted
	}
	return sum
}

// perTask returns how many goroutines the process has started for each task since the
// page was made, or nil if that is not known. Goroutines that have nothing to do with the
// pools count, too.
func (s starts) perTask(tasks int64) *float64 {
	n, known := started()
	if !known || tasks <= s.tasks {
		return nil
	}
	ratio := float64(n-s.started) / float64(tasks-s.tasks)
	return &ratio
}

// facts returns the figure for the page, or none.
func (s starts) facts(tasks int64) []fact {
	ratio := s.perTask(tasks)
	if ratio == nil {
		return nil
	}
	return []fact{{Name: "goroutines started per task", Value: strconv.FormatFloat(*ratio, 'g', 2, 64)}}
}
