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
	"go.uber.org/atomic"
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

// The client sees at once that there will be no answer, and the server goes on. It logs a
// panic. Behind Handler the pool is told of it, with the stack of the request's handler.
// ErrAbortHandler is how a handler hangs up: then neither the server nor the pool makes a
// noise, at any level of nested calls.
func TestServerSurvivesEachEnding(t *testing.T) {
	limited := func(end http.HandlerFunc) func(*hemlock.Pool) http.Handler {
		return withLimit(time.Hour, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "not sent")
			end(w, r)
		})
	}
	nested := func(p *hemlock.Pool) http.Handler { return hemlockhttp.Handler(p, through(hangUp)(p)) }
	for name, c := range map[string]struct {
		wrap func(*hemlock.Pool) http.Handler
		logs bool
		told int // times a request
	}{
		"Handler panics":          {through(stumble), true, 1},
		"Handler hangs up":        {through(hangUp), false, 0},
		"nested Handlers hang up": {nested, false, 0},
		"Handler exits":           {through(exit), false, 0},
		"TimeoutHandler panics":   {limited(stumble), true, 0},
		"TimeoutHandler hangs up": {limited(hangUp), false, 0},
		"TimeoutHandler exits":    {limited(exit), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan string, 100) // room for all protocols of a test that fails
			everyProtocol(t, c.wrap, func(t *testing.T, s served) {
				for range 3 {
					require.Error(t, s.ask())
				}
				s.close()
				require.Equal(t, c.logs, strings.Contains(s.logged.String(), "out of cheese"))
				require.Equal(t, c.logs, s.logged.String() != "")
				require.EqualValues(t, 3*c.told, s.pool.Stats().Panicked)
				require.Len(t, told, 3*c.told)
				for len(told) > 0 {
					require.Regexp(t, `(?s)^out of cheese.*http_test\.stumble\(`, <-told)
				}
			}, hemlock.WithPanicHandler(func(v any, stack []byte) { told <- fmt.Sprint(v, string(stack)) }))
		})
	}
}

//go:noinline
func stumble(http.ResponseWriter, *http.Request) { panic("out of cheese") }

func hangUp(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func exit(http.ResponseWriter, *http.Request) { runtime.Goexit() }

// call serves one request on a goroutine of its own, and returns how that ended.
func call(h http.Handler, w http.ResponseWriter, r *http.Request) (end any) {
	return pooltest.Outcome(func() { h.ServeHTTP(w, r) })
}

// Each ending of the handler is that of the request, at once, in a pool with or without a
// panic handler, and in a closed one. The pool is told of panics behind Handler alone.
func TestRequestEndsAsItsHandlerDoes(t *testing.T) {
	odd := []int{1} // that nothing can be compared with
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		end     any
		told    int64 // behind Handler
	}{
		"returns":      {func(http.ResponseWriter, *http.Request) {}, "returned", 0},
		"panics":       {stumble, "out of cheese", 1},
		"panics oddly": {func(http.ResponseWriter, *http.Request) { panic(odd) }, odd, 1},
		"hangs up":     {hangUp, http.ErrAbortHandler, 0},
		"exits":        {exit, "exited", 0},
	} {
		t.Run(name, func(t *testing.T) {
			everyPool(t, func(t *testing.T, p *hemlock.Pool, told *atomic.Int64) {
				limited, w := hemlockhttp.TimeoutHandler(p, c.handler, time.Hour, ""), httptest.NewRecorder()
				for range 3 {
					require.Equal(t, c.end, call(limited, w, request()))
				}
				require.False(t, w.Flushed)
				require.Empty(t, w.Body.String())
				require.Zero(t, p.Stats().Panicked)
				require.Equal(t, c.end, call(hemlockhttp.Handler(p, c.handler), httptest.NewRecorder(), request()))
				if told != nil {
					require.Equal(t, c.told, told.Load())
				}
			})
		})
	}
}

// Under this setting recover returns nil for a panic(nil), as if there was none.
func TestNilPanicIsNotTakenForAReturn(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	require.Equal(t, "exited", call(http.HandlerFunc(panicNil), httptest.NewRecorder(), request()), "the setting holds")
	everyPool(t, func(t *testing.T, p *hemlock.Pool, _ *atomic.Int64) {
		require.Equal(t, "exited", call(hemlockhttp.Handler(p, http.HandlerFunc(panicNil)), httptest.NewRecorder(), request()))
		h := hemlockhttp.TimeoutHandler(p, http.HandlerFunc(panicNil), time.Hour, "")
		require.Equal(t, "exited", call(h, httptest.NewRecorder(), request()))
	})
}

func panicNil(http.ResponseWriter, *http.Request) { panic(nil) }

// everyPool runs the test with a pool, with one that has a panic handler, of which told
// is how often it was called, and with closed ones.
func everyPool(t *testing.T, test func(t *testing.T, p *hemlock.Pool, told *atomic.Int64)) {
	for _, closed := range []bool{false, true} {
		for _, handled := range []bool{false, true} {
			t.Run(fmt.Sprintf("closed %t, panic handler %t", closed, handled), func(t *testing.T) {
				var options []hemlock.Option
				var told *atomic.Int64
				if handled {
					told = new(atomic.Int64)
					options = append(options, hemlock.WithPanicHandler(func(any, []byte) { told.Inc() }))
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
	look := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during, _ = pooltest.Labels(t) })
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
			_, all := pooltest.Labels(t)
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
