// Package histories_test records what many goroutines see of one pool, and asks porcupine
// whether the calls can be put in an order that explains all of it.
package histories_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/internal/broken"
	"example.com/hemlock/conformance/self"
	"example.com/hemlock/internal/race"
	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"
)

// A pool is what a history is about.
type pool interface {
	Submit(task func()) error
	Run(task func())
	Do(task func())
	Shutdown(ctx context.Context) error
	Stats() conformance.Stats
}

const (
	clients = 4
	calls   = 6 // of each client
)

// A history is the life of a pool. The clock is the number of things that were noted: it
// is the same for all goroutines, and stands for no two of them.
type history struct {
	pool  pool
	clock atomic.Int64
	tasks [clients * calls]struct{ began, ended atomic.Int64 }
	noted [clients + 1][]porcupine.Operation // by each client, and at the end
}

func (h *history) now() int64 { return h.clock.Add(1) }

// note notes what the client has done since it called.
func (h *history) note(client int, called int64, what string, did ...step) {
	returned := h.now()
	for _, one := range did {
		h.noted[client] = append(h.noted[client], porcupine.Operation{
			ClientId: client, Input: one, Output: what, Call: called, Return: returned,
		})
	}
}

// task returns the task of that number.
func (h *history) task(number int) func() {
	t := &h.tasks[number]
	return func() {
		t.began.Store(h.now())
		if number%3 == 0 {
			runtime.Gosched()
		}
		t.ended.Store(h.now())
	}
}

// call has the client call a method at random. The task is used by this call alone.
func (h *history) call(client, task int) {
	kind := rand.IntN(9)
	called := h.now()
	switch kind {
	case 0, 1, 2:
		accepted := h.pool.Submit(h.task(task)) == nil
		h.note(client, called, fmt.Sprintf("Submit(%d): %v", task, accepted), submit(task, accepted))
	case 3, 4:
		h.pool.Run(h.task(task))
		h.note(client, called, fmt.Sprintf("Run(%d)", task), run(task))
	case 5:
		h.pool.Do(h.task(task))
		h.note(client, called, fmt.Sprintf("Do(%d)", task), run(task))
		h.note(client, h.now(), fmt.Sprintf("Do(%d) has returned", task), returned(task))
	case 6, 7:
		h.readStats(client)
	case 8:
		if rand.IntN(3) == 0 {
			_ = h.shutDown(client, time.Duration(rand.IntN(2))*time.Minute)
		}
	}
}

func (h *history) readStats(client int) {
	called := h.now()
	s := h.pool.Stats()
	h.note(client, called, fmt.Sprintf("Stats: %+v", s),
		readSubmitted(s.Submitted), readCompleted(s.Completed), readWorkers(s.Workers))
}

func (h *history) shutDown(client int, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	called := h.now()
	err := h.pool.Shutdown(ctx)
	if err != nil {
		h.note(client, called, "Shutdown: error", closed)
	} else {
		h.note(client, called, "Shutdown: nil", closed, drained)
	}
	return err
}

// live has the clients use the pool, and ends it, for which a minute must do.
func (h *history) live() error {
	var all sync.WaitGroup
	start := make(chan struct{})
	for client := range clients {
		all.Go(func() {
			<-start
			for i := range calls {
				h.call(client, client*calls+i)
			}
		})
	}
	close(start)
	all.Wait()
	err := h.shutDown(clients, time.Minute)
	h.readStats(clients)
	return err
}

// operations returns what was noted, and when tasks began and ended. Tasks that the pool
// does not count may go on.
func (h *history) operations() (all []porcupine.Operation) {
	for _, noted := range h.noted {
		all = append(all, noted...)
	}
	for number := range h.tasks {
		for _, moment := range []struct {
			what string
			at   int64
			did  step
		}{
			{"begins", h.tasks[number].began.Load(), begin(number)},
			{"ends", h.tasks[number].ended.Load(), end(number)},
		} {
			if moment.at > 0 {
				all = append(all, porcupine.Operation{
					ClientId: clients + 1 + number, Input: moment.did, Output: fmt.Sprint("task ", number, " ", moment.what),
					Call: moment.at, Return: moment.at,
				})
			}
		}
	}
	return all
}

// short are the settings of a pool whose workers come and go.
func short() conformance.Settings {
	return conformance.Settings{KillInterval: time.Microsecond, KillDelay: 1, MaxTasksPerWorker: rand.IntN(4)}
}

// It costs a millisecond to find the order of some 40 calls and 20 tasks, and years for
// thousands. So the histories are short, and many.
func TestEachHistoryHasAnExplanation(t *testing.T) {
	for range race.Scaled(20_000) {
		h := &history{pool: self.New(short())}
		require.NoError(t, h.live())
		result, info := porcupine.CheckOperationsVerbose(model, h.operations(), time.Minute)
		if result != porcupine.Ok {
			path := filepath.Join(os.TempDir(), "history.html")
			require.NoError(t, porcupine.VisualizePath(model, info, path))
			require.Equal(t, porcupine.Ok, result, "no order of the calls explains %s", path)
		}
	}
}

// Each of these pools breaks one promise, and some history shows it.
func TestHistoriesOfBrokenPoolsHaveNone(t *testing.T) {
	for what, breakIt := range map[string]func(p self.Pool, b *broken.Pool){
		"a refusal is not final": func(p self.Pool, b *broken.Pool) {
			var refused atomic.Int64
			b.OnSubmit = func(task func()) error {
				err := p.Submit(task)
				if err != nil && refused.Add(1)%2 == 0 {
					go task()
					return nil
				}
				return err
			}
		},
		"submitted steps back": miscounts(func(s *conformance.Stats, _ int64) {
			s.Submitted = max(s.Completed, s.Submitted-rand.Int64N(2))
		}),
		"a task is lost": func(p self.Pool, b *broken.Pool) {
			var accepted atomic.Int64
			b.OnSubmit = func(task func()) error {
				if accepted.Add(1)%8 == 0 {
					task = func() {}
				}
				return p.Submit(task)
			}
		},
		"a task is counted too late": func(p self.Pool, b *broken.Pool) { b.OnRun = func(task func()) { go p.Run(task) } },
		"completed steps back": miscounts(func(s *conformance.Stats, reads int64) {
			s.Completed = max(0, s.Completed-reads%2)
		}),
		"completed before the end": miscounts(func(s *conformance.Stats, _ int64) { s.Completed = s.Submitted }),
		"Shutdown does not wait": func(p self.Pool, b *broken.Pool) {
			b.OnShutdown = func(context.Context) error {
				ended, cancel := context.WithTimeout(context.Background(), 0)
				defer cancel()
				_ = p.Shutdown(ended)
				return nil
			}
		},
		"Shutdown leaves a worker":   miscounts(func(s *conformance.Stats, _ int64) { s.Workers = max(1, s.Workers) }),
		"Do returns before its task": func(p self.Pool, b *broken.Pool) { b.OnDo = func(task func()) { go p.Do(task) } },
		"Shutdown accepts another one": func(p self.Pool, b *broken.Pool) {
			var closed atomic.Int64
			b.OnShutdown = func(ctx context.Context) error {
				defer closed.Add(1)
				return p.Shutdown(ctx)
			}
			b.OnSubmit = func(task func()) error {
				if closed.CompareAndSwap(1, 2) {
					p.Run(task)
					return nil
				}
				return p.Submit(task)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			for range 1000 {
				h := &history{pool: broken.New(short(), breakIt)}
				require.NoError(t, h.live())
				if porcupine.CheckOperationsTimeout(model, h.operations(), time.Minute) == porcupine.Illegal {
					return
				}
			}
			require.Fail(t, "every history has an explanation")
		})
	}
}

// miscounts breaks Stats, which knows how often it was called.
func miscounts(f func(s *conformance.Stats, reads int64)) func(self.Pool, *broken.Pool) {
	return func(p self.Pool, b *broken.Pool) {
		var reads atomic.Int64
		b.OnStats = func() conformance.Stats {
			s := p.Stats()
			f(&s, reads.Add(1))
			return s
		}
	}
}
