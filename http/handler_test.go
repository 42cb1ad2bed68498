package hemlockhttp_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	hemlockhttp "example.com/hemlock/http"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

func through(h http.HandlerFunc) func(*hemlock.Pool) http.Handler {
	return func(p *hemlock.Pool) http.Handler { return hemlockhttp.Handler(p, h) }
}

// The requests run at the same time, and each is one task. What the handler reads
// and writes, trailers too, is the request's and the answer's.
func TestHandlerRunsEachRequestOnThePool(t *testing.T) {
	const requests = 8
	var all sync.WaitGroup
	everyProtocol(t, through(func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Context().Err() != nil {
			http.Error(w, "no body", http.StatusBadRequest)
			return
		}
		w.Header().Set("Trailer", "X-After")
		_, _ = io.WriteString(w, strings.ToUpper(string(body)))
		_ = http.NewResponseController(w).Flush()
		w.Header().Set("X-After", "sent")
	}), func(t *testing.T, s served) {
		all.Add(requests)
		var group errgroup.Group
		for i := range requests {
			group.Go(func() error {
				answer, err := s.client.Post(s.url, "", strings.NewReader(fmt.Sprint("request ", i)))
				if err != nil {
					return err
				}
				defer answer.Body.Close()
				body, err := io.ReadAll(answer.Body)
				if got := string(body) + " " + answer.Trailer.Get("X-After"); err == nil && got != fmt.Sprintf("REQUEST %d sent", i) {
					err = fmt.Errorf("answer %q", got)
				}
				return err
			})
		}
		require.NoError(t, group.Wait())
		require.EqualValues(t, requests, s.pool.Stats().Submitted)
	})
}

// A handler may take the connection, in HTTP/1.1.
func TestHandlerMayHijack(t *testing.T) {
	server := httptest.NewServer(hemlockhttp.Handler(pooltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		line, _ := buffered.ReadString('\n')
		fmt.Fprint(conn, strings.ToUpper(line))
	})))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: loopback\r\n\r\nhello\n")
	answer, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HELLO\n", answer)
}

// The server logs panics, and the pool is told of them, with the handler's stack.
func TestHandlerPassesPanicsOn(t *testing.T) {
	stacks := make(chan string, 10)
	everyProtocol(t, through(stumble), func(t *testing.T, s served) {
		require.Error(t, s.ask())
		stack := <-stacks
		require.Contains(t, stack, "out of cheese")
		require.Contains(t, stack, "http_test.stumble(")
		pooltest.Eventually(t, func() bool { return strings.Contains(s.logged.String(), "out of cheese") }, "the server logs")
		require.EqualValues(t, 1, s.pool.Stats().Panicked)
		require.Empty(t, stacks)
	}, hemlock.WithPanicHandler(func(v any, stack []byte) { stacks <- fmt.Sprint(v, string(stack)) }))
}

//go:noinline
func stumble(http.ResponseWriter, *http.Request) { panic("out of cheese") }

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func exit(http.ResponseWriter, *http.Request) { runtime.Goexit() }

// ErrAbortHandler is how a handler hangs up. It aborts the answer, and
// neither the server nor the pool makes a noise, at any level of nested calls.
func TestHandlerHangsUpSilently(t *testing.T) {
	nested := func(p *hemlock.Pool) http.Handler {
		return hemlockhttp.Handler(p, hemlockhttp.Handler(p, http.HandlerFunc(hangUp)))
	}
	for name, wrap := range map[string]func(*hemlock.Pool) http.Handler{"once": through(hangUp), "nested": nested} {
		t.Run(name, func(t *testing.T) {
			told := make(chan any, 10)
			everyProtocol(t, wrap, func(t *testing.T, s served) {
				require.Error(t, s.ask())
				s.close()
				require.Empty(t, s.logged.String())
				require.Zero(t, s.pool.Stats().Panicked)
				require.Empty(t, told)
			}, hemlock.WithPanicHandler(func(v any, _ []byte) { told <- v }))
		})
	}
}

// call serves one request on a goroutine of its own, with a recorder unless w is
// given, and returns how that ended: "returned", "exited", or the value of a panic.
func call(h http.Handler, w http.ResponseWriter, r *http.Request) (end any) {
	ended := make(chan any, 1)
	go func() {
		end := any("exited")
		defer func() {
			if v := recover(); v != nil {
				end = v
			}
			ended <- end
		}()
		h.ServeHTTP(w, r)
		end = "returned"
	}()
	return <-ended
}

// Each ending of the handler is that of the request, in a pool with or without a panic
// handler, and in a closed one.
func TestHandlerEndsAsTheRequestHandlerDoes(t *testing.T) {
	odd := []int{1} // that nothing can be compared with
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		end     any
		told    int64
	}{
		"returns":      {func(http.ResponseWriter, *http.Request) {}, "returned", 0},
		"panics":       {stumble, "out of cheese", 1},
		"panics oddly": {func(http.ResponseWriter, *http.Request) { panic(odd) }, odd, 1},
		"hangs up":     {hangUp, http.ErrAbortHandler, 0},
		"exits":        {exit, "exited", 0},
	} {
		t.Run(name, func(t *testing.T) {
			everyPool(t, func(t *testing.T, p *hemlock.Pool, told func() int64) {
				require.Equal(t, c.end, call(hemlockhttp.Handler(p, c.handler), httptest.NewRecorder(), request()))
				if told != nil {
					require.Equal(t, c.told, told())
				}
			})
		})
	}
}

// Under this setting recover returns nil for a panic(nil), as if there was none.
func TestNilPanicIsNotTakenForAReturn(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	require.Equal(t, "exited", call(http.HandlerFunc(panicNil), httptest.NewRecorder(), request()), "the setting holds")
	everyPool(t, func(t *testing.T, p *hemlock.Pool, _ func() int64) {
		require.Equal(t, "exited", call(hemlockhttp.Handler(p, http.HandlerFunc(panicNil)), httptest.NewRecorder(), request()))
		h := hemlockhttp.TimeoutHandler(p, http.HandlerFunc(panicNil), time.Hour, "")
		require.Equal(t, "exited", call(h, httptest.NewRecorder(), request()))
	})
}

func panicNil(http.ResponseWriter, *http.Request) { panic(nil) }

// everyPool runs the test with a pool, with one that has a panic handler, of which
// told returns how often it was called, and with closed ones.
func everyPool(t *testing.T, test func(t *testing.T, p *hemlock.Pool, told func() int64)) {
	for _, closed := range []bool{false, true} {
		for _, handled := range []bool{false, true} {
			t.Run(fmt.Sprintf("closed %t, panic handler %t", closed, handled), func(t *testing.T) {
				var mu sync.Mutex
				var calls int64
				var options []hemlock.Option
				var told func() int64
				if handled {
					options = append(options, hemlock.WithPanicHandler(func(any, []byte) {
						mu.Lock()
						defer mu.Unlock()
						calls++
					}))
					told = func() int64 {
						mu.Lock()
						defer mu.Unlock()
						return calls
					}
				}
				p := pooltest.New(t, options...)
				if closed {
					pooltest.Shutdown(t, p)
				}
				test(t, p, told)
			})
		}
	}
}

func request() *http.Request { return httptest.NewRequest(http.MethodGet, "/", nil) }

// The labels of the context hold in the handler, although it runs on another goroutine,
// and no longer.
func TestProfilerLabelsOfTheContextHoldInTheHandler(t *testing.T) {
	p := pooltest.New(t)
	var during string
	look := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during, _ = pooltest.Labels() })
	for name, h := range map[string]http.Handler{
		"Handler":        hemlockhttp.Handler(p, look),
		"TimeoutHandler": hemlockhttp.TimeoutHandler(p, look, time.Hour, ""),
	} {
		label := "label-of-" + name
		pprof.Do(t.Context(), pprof.Labels(label, "set"), func(ctx context.Context) {
			h.ServeHTTP(httptest.NewRecorder(), request().WithContext(ctx))
		})
		require.Contains(t, during, fmt.Sprintf(`%q:"set"`, label))
		pooltest.Eventually(t, func() bool {
			_, all := pooltest.Labels()
			return !strings.Contains(all, label)
		}, "no worker keeps the labels")
	}
}

func TestMisusePanicsWithASentence(t *testing.T) {
	p, h := pooltest.New(t), http.NotFoundHandler()
	for want, misuse := range map[string]func(){
		"hemlockhttp: Handler with a nil Handler":        func() { hemlockhttp.Handler(p, nil) },
		"hemlockhttp: TimeoutHandler with a nil Handler": func() { hemlockhttp.TimeoutHandler(p, nil, 1, "") },
	} {
		require.PanicsWithValue(t, want, misuse)
	}
	const zero = "hemlock: zero Pool: use New"
	for _, p := range []*hemlock.Pool{nil, {}} {
		require.PanicsWithValue(t, zero, func() { hemlockhttp.Handler(p, h) })
		require.PanicsWithValue(t, zero, func() { hemlockhttp.TimeoutHandler(p, h, 1, "") })
	}
}
