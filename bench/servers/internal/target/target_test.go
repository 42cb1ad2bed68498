package target_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/target"
)

const (
	callers   = 8
	questions = 25 // of each caller
)

func bare(task func()) { go task() }

// serve starts the server, which ends with the test.
func serve(t *testing.T, of target.Target, way target.Way, answer func([]byte) []byte) target.Endpoint {
	t.Helper()
	endpoint, server, err := of.Serve(way, answer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return endpoint
}

// ask asks the server all questions, the callers at the same time.
func ask(t *testing.T, of target.Target, to target.Endpoint) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	clients := make([]target.Client, callers)
	for i := range clients {
		if of.Shared && i%2 == 1 { // two callers a connection
			clients[i] = clients[i-1]
			continue
		}
		client, err := of.Dial(to)
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close() })
		clients[i] = client
	}
	var group errgroup.Group
	for i, client := range clients {
		group.Go(func() error {
			for n := range uint64(questions) {
				question := target.Question(uint64(i)<<32 + n)
				answer, err := client.Call(ctx, question)
				if err != nil {
					return err
				}
				if !target.Right(question, answer) {
					return fmt.Errorf("wrong answer %x to %x", answer, question)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func TestEveryServerAnswersRightlyInEveryMode(t *testing.T) {
	for _, of := range target.All() {
		for _, m := range mode.All() {
			t.Run(of.Name+"/"+m.Name, func(t *testing.T) {
				if m.Within && !of.Within {
					t.Skip("not for this server")
				}
				way, _ := m.New()
				require.NoError(t, ask(t, of, serve(t, of, way, target.Answer)))
			})
		}
	}
}

func TestEveryRequestIsATask(t *testing.T) {
	for _, of := range target.All() {
		t.Run(of.Name, func(t *testing.T) {
			if of.Within {
				t.Skip("nothing is told to start its requests")
			}
			var tasks, answered atomic.Int64
			run := func(task func()) {
				tasks.Add(1)
				go task()
			}
			endpoint := serve(t, of, target.Way{Run: run}, func(question []byte) []byte {
				answered.Add(1)
				return target.Answer(question)
			})
			require.NoError(t, ask(t, of, endpoint))
			require.EqualValues(t, callers*questions, answered.Load())
			require.GreaterOrEqual(t, tasks.Load(), answered.Load())
			// net/rpc has one more for each connection: that which waits for its next call.
			require.LessOrEqual(t, tasks.Load(), answered.Load()+callers)
		})
	}
}

func TestAWrongAnswerArrivesAsItIs(t *testing.T) {
	for _, of := range target.All() {
		t.Run(of.Name, func(t *testing.T) {
			endpoint := serve(t, of, target.Way{Run: bare}, func(question []byte) []byte {
				answer := target.Answer(question)
				answer[len(answer)-1]++
				return answer
			})
			require.ErrorContains(t, ask(t, of, endpoint), "wrong answer")
		})
	}
}

func TestACallOfADeadServerFails(t *testing.T) {
	for _, of := range target.All() {
		t.Run(of.Name, func(t *testing.T) {
			var handling atomic.Bool
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) })
			endpoint, server, err := of.Serve(target.Way{Run: bare}, func([]byte) []byte {
				handling.Store(true)
				<-ended
				return nil
			})
			require.NoError(t, err)
			t.Cleanup(func() { _ = server.Close() })
			client, err := of.Dial(endpoint)
			require.NoError(t, err)
			t.Cleanup(func() { _ = client.Close() })
			// On a busy machine a call may end before it has reached the server.
			for timeout := 200 * time.Millisecond; !handling.Load(); timeout *= 2 {
				require.Less(t, timeout, time.Minute, "no call reaches the server")
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				_, err = client.Call(ctx, target.Question(1))
				cancel()
				require.Error(t, err)
			}
		})
	}
}

func TestOnlyTheAnswerToAQuestionIsRight(t *testing.T) {
	question := target.Question(1)
	require.True(t, target.Right(question, target.Answer(question)))
	for what, answer := range map[string][]byte{
		"that to another": target.Answer(target.Question(2)),
		"a part":          target.Answer(question)[:len(question)],
		"none":            nil,
		"the question":    question,
	} {
		require.False(t, target.Right(question, answer), what)
	}
}

func TestTargetsAreFoundByName(t *testing.T) {
	for _, want := range target.All() {
		got, err := target.Find(want.Name)
		require.NoError(t, err)
		require.Equal(t, want.Name, got.Name)
		for _, name := range want.Modes {
			_, err := mode.Find(name)
			require.NoError(t, err)
		}
		require.Equal(t, mode.Baseline, want.Modes[0])
	}
}
