package load

import (
	"fmt"
	"strings"
	"time"
)

// A Group is loads that belong together in the tables.
type Group string

// The groups, in the order in which they are reported.
const (
	Waiting   Group = "callers that wait"
	Single    Group = "one submitter"
	Several   Group = "as many submitters as processors"
	Working   Group = "work"
	Blocking  Group = "blocking"
	ColdPool  Group = "cold pool"
	Connected Group = "server"
	Beside    Group = "neighbours"
	FixedRate Group = "fixed rate"
)

// All returns the loads in the order in which they are reported: group by
// group.
func All() []Load {
	var loads []Load
	for _, group := range []struct {
		name  Group
		loads []Load
	}{
		{Waiting, waiting()},
		{Single, submitters("1 submitter", 1, 8, 64, 1000, Never)},
		{Several, submitters("P submitters", PerProcessor, 64, Never)},
		{Working, working()},
		{Blocking, blocking()},
		{ColdPool, coldPool()},
		{Connected, connected()},
		{Beside, beside()},
		{FixedRate, fixedRate()},
	} {
		for _, l := range group.loads {
			l.Group = group.name
			if l.Batch == 0 {
				l.Batch = 1
			}
			loads = append(loads, l)
		}
	}
	return loads
}

// waiting returns the loads whose callers wait for each of their tasks.
func waiting() []Load {
	loads := []Load{
		{Name: "empty, 1 caller", Callers: 1},
		{Name: "empty, 64 callers", Callers: 64},
		{Name: "empty, 512 callers", Callers: 512},
	}
	for _, kib := range []int{2, 4, 8, 16, 30, 60} {
		loads = append(loads, stack(kib, 64))
	}
	return append(loads,
		stack(8, 512),
		littering("30 KiB, GC, 64 callers", 64, 0),
		littering("the same after a spike, 8 callers", 8, 512),
		littering("the same after a spike, 64 callers", 64, 512),
	)
}

func stack(kib, callers int) Load {
	return Load{
		Name: fmt.Sprintf("%d KiB, %d callers", kib, callers), Callers: callers, Stack: kib,
	}
}

// littering is deep stacks, garbage, and a heap that the collector has to walk.
func littering(name string, callers, spike int) Load {
	return Load{
		Name: name, Callers: callers, Spike: spike,
		Stack: 30, Garbage: 2 << 10, Heap: 32,
	}
}

// submitters returns empty tasks with each of the batches, and then some that
// use the stack.
func submitters(from string, callers int, batches ...int) []Load {
	var loads []Load
	for _, batch := range batches {
		loads = append(loads, Load{
			Name: fmt.Sprintf("empty, %s, %s", from, pause(batch)), Callers: callers, Batch: batch,
		})
	}
	for _, kib := range []int{2, 8} {
		loads = append(loads, Load{
			Name: fmt.Sprintf("%d KiB, %s, %s", kib, from, pause(64)), Callers: callers, Batch: 64, Stack: kib,
		})
	}
	return loads
}

// pause words the batch.
func pause(batch int) string {
	switch batch {
	case Never:
		return "never waits"
	case 1000:
		return "every 1,000"
	}
	return fmt.Sprintf("every %d", batch)
}

// working returns the loads whose tasks compute.
func working() []Load {
	var loads []Load
	for _, work := range []time.Duration{500, 1000, 2000, 20_000, 200_000} {
		for _, batch := range []int{16, 64, 1000} {
			loads = append(loads, compute(work, "1 submitter", 1, batch))
		}
	}
	for _, work := range []time.Duration{500, 1000, 2000, 5000, 20_000, 200_000} {
		loads = append(loads, compute(work, "P submitters", PerProcessor, 64))
	}
	return loads
}

func compute(work time.Duration, from string, callers, batch int) Load {
	return Load{
		Name:    fmt.Sprintf("%g us, %s, %s", float64(work)/float64(time.Microsecond), from, pause(batch)),
		Callers: callers, Batch: batch, Work: work,
	}
}

// blocking returns the loads whose tasks sleep.
func blocking() []Load {
	return []Load{
		{Name: "1,000 tasks block for 1 ms, 1 submitter", Callers: 1, Batch: 1000, Block: time.Millisecond},
		{Name: "10,000 tasks block for 1 ms, 1 submitter", Callers: 1, Batch: 10_000, Block: time.Millisecond},
		{
			Name: "every tenth task blocks for 1 ms, 1 submitter, every 1,000", Callers: 1, Batch: 1000,
			Block: time.Millisecond, BlockEvery: 10,
		},
		{
			Name: "4 KiB, blocks for 1 ms, 2,000 callers", Callers: 2000,
			Stack: 4, Block: time.Millisecond,
		},
	}
}

// coldPool returns the loads that a pool begins with.
func coldPool() []Load {
	return []Load{
		{Name: "cold pool, 2,000 shallow tasks", Callers: 1, Batch: 2000, Shallow: true, Cold: true},
		{Name: "cold pool, 2,000 tasks block for 1 ms", Callers: 1, Batch: 2000, Block: time.Millisecond, Cold: true},
		{Name: "spawn storm, 10 × 1,000 tasks", Callers: 10, Storm: 1000},
	}
}

// connected returns the load of a server whose one connection carries the calls
// of 256 callers, with a small and with a large live heap.
func connected() []Load {
	var loads []Load
	for _, heap := range []int{4, 64} {
		loads = append(loads, Load{
			Name: fmt.Sprintf("1 reader for 256 callers, 8 KiB, GC, %d MiB live", heap), Callers: 256,
			Reader: true, Stack: 8, Garbage: 4 << 10, Heap: heap,
		})
	}
	return loads
}

// longest is the processor time of a burst that P submitters still share: P
// submitters change what a burst is to others when it begins, and a long one
// takes long to measure.
const longest = time.Second

// beside returns the bursts, each with one bystander, and then a long task among
// short ones. A burst of 40,000 tasks of 500 us, which is 20 s of processor
// time, is left out.
func beside() []Load {
	var loads []Load
	for _, burst := range []struct {
		tasks int
		works []time.Duration
	}{
		{500, []time.Duration{2_000, 50_000, 500_000}},
		{4000, []time.Duration{2_000, 50_000, 500_000}},
		{40_000, []time.Duration{2_000, 50_000}},
	} {
		for _, work := range burst.works {
			loads = append(loads, bursts("1", 1, burst.tasks, work)...)
			if time.Duration(burst.tasks)*work < longest {
				loads = append(loads, bursts("P", PerProcessor, burst.tasks, work)...)
			}
		}
	}
	return append(loads, Load{
		Name: "a task of 30 ms among tasks of 50 us at 90 %", Callers: 1, Batch: Never,
		Work: 50 * time.Microsecond, Long: 30 * time.Millisecond, Rate: 80,
	})
}

func bursts(from string, callers, tasks int, work time.Duration) []Load {
	var loads []Load
	for _, b := range bystanders {
		loads = append(loads, Load{
			Name:    fmt.Sprintf("%s: %s", burstName(tasks, work, from), b),
			Callers: callers, Batch: tasks, Work: work, Bystander: b,
		})
	}
	return loads
}

func burstName(tasks int, work time.Duration, from string) string {
	thousands := fmt.Sprint(tasks)
	if tasks >= 1000 {
		thousands = fmt.Sprintf("%d,%03d", tasks/1000, tasks%1000)
	}
	return fmt.Sprintf("%s x %d us from %s", thousands, work.Microseconds(), from)
}

// Rates are the rates of the loads with a fixed one.
var Rates = []int{30, 60, 80, 90}

// fixedRate returns the loads whose tasks are due at random times.
func fixedRate() []Load {
	var loads []Load
	for _, l := range []Load{
		{Name: "time.Sleep"},
		{Name: "nanosleep", Wait: Nanosleep},
		{Name: "locked thread", Wait: LockedThread},
		{Name: "every hundredth sleeps 5 ms", Block: 5 * time.Millisecond, BlockEvery: 100},
		{Name: "64 MiB live", Heap: 64},
		{Name: "beside a process", Process: true},
	} {
		l.Callers, l.Batch = 1, Never
		l.Work, l.Mixed, l.Stack, l.Garbage = 10*time.Microsecond, true, 8, 2<<10
		for _, rate := range Rates {
			at := l
			at.Name, at.Rate = fmt.Sprintf("%s, %d %%", l.Name, rate), rate
			loads = append(loads, at)
		}
	}
	return loads
}

// Quick reports whether the load takes part where there is little time: of the
// bursts those of 500 tasks of 50 us from one submitter, of the rates 60 %.
func Quick(l Load) bool {
	return !l.Watched() || l.Long > 0 ||
		strings.HasPrefix(l.Name, burstName(500, 50*time.Microsecond, "1")) || l.Name == "time.Sleep, 60 %"
}
