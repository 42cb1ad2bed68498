package hemlockhttp_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/hemlock"
	hemlockhttp "example.com/hemlock/http"
	"example.com/hemlock/internal/pooltest"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

const message = "gave up"

// A pusher is a recorder that says what it was asked to push.
type pusher struct {
	*httptest.ResponseRecorder
	pushed *[]string
}

func (p pusher) Push(target string, _ *http.PushOptions) error {
	*p.pushed = append(*p.pushed, target)
	return nil
}

// An observation is all that can be seen of one request.
type observation struct {
	Status int
	Header http.Header
	Body   string
	End    any    // of the goroutine of the server
	Took   string // by the clock of the bubble
	Noted  []any  // by the handler
	Logged string
	Pushed []string
}

// A scenario is a request whose handler has a limit of one second. It notes what it
// sees.
type scenario struct {
	handle func(w http.ResponseWriter, r *http.Request, note func(...any))
	ctx    func(context.Context) (context.Context, context.CancelFunc) // nil: one that does not end
	pushes bool
}

// observe runs the scenario in a bubble, and until the handler has returned.
func (s scenario) observe(t *testing.T, limited func(p *hemlock.Pool, h http.Handler) http.Handler) (seen observation) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t)
		handled := make(chan struct{})
		h := limited(p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(handled)
			s.handle(w, r, func(v ...any) { seen.Noted = append(seen.Noted, v...) })
		}))
		logged := new(pooltest.Log)
		ctx := context.WithValue(t.Context(), http.ServerContextKey, &http.Server{ErrorLog: log.New(logged, "", 0)})
		if s.ctx != nil {
			var cancel context.CancelFunc
			ctx, cancel = s.ctx(ctx)
			defer cancel()
		}
		recorder := httptest.NewRecorder()
		var w http.ResponseWriter = recorder
		if s.pushes {
			w = pusher{recorder, &seen.Pushed}
		}
		begin := time.Now()
		seen.End = call(h, w, request().WithContext(ctx))
		seen.Took = time.Since(begin).String()
		answer := recorder.Result()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		seen.Status, seen.Header, seen.Body = answer.StatusCode, answer.Header, string(body)
		<-handled
		synctest.Wait()
		seen.Logged = logged.String()
		require.Zero(t, p.Stats().Panicked)
	})
	return seen
}

func overrun() { time.Sleep(2 * time.Second) }

// TimeoutHandler does what net/http's does: the status, header and body, what the
// handler sees, how the request ends and what the server logs. want is the least that
// must be seen, so that no two empty answers are compared.
func TestTimeoutHandlerDoesAsThatOfNetHTTP(t *testing.T) {
	endsAfter := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, d) }
	}
	hungUp := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(time.Second/2, func() { cancel(errors.New("a cause")) })
		return ctx, func() { cancel(nil) }
	}
	for name, c := range map[string]struct {
		scenario
		want string
	}{
		"nothing": {scenario{handle: func(http.ResponseWriter, *http.Request, func(...any)) {}}, "Status:200"},
		"a body": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			note(w.Write([]byte("hello ")))
			note(io.WriteString(w, "there"))
		}}, "Body:hello there"},
		"status and header": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) {
			w.Header().Add("X-Two", "a")
			w.Header().Add("X-Two", "b")
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-After", "is sent, too, since the answer is kept")
		}}, "X-Two:[a b]"},
		"no content":    {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(204) }}, "Status:204"},
		"an early hint": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(103); w.WriteHeader(200) }}, "superfluous"},
		"two statuses":  {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(404); w.WriteHeader(500) }}, "Status:404"},
		"two errors": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) {
			http.Error(w, "a", 404)
			http.Error(w, "b", 500)
		}}, "(timeout_test.go:"},
		"body and status": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { drop(w.Write(nil)); w.WriteHeader(404) }}, "Status:200"},
		"status too low":  {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(99) }}, "End:invalid WriteHeader code 99"},
		"status too high": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(1000) }}, "End:invalid WriteHeader code 1000"},
		"lowest, highest": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, _ func(...any)) { w.WriteHeader(999); w.WriteHeader(100) }}, "Status:999"},
		"a wrong status late": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			overrun()
			defer func() { note(recover()) }()
			w.WriteHeader(99)
		}}, "Noted:[invalid WriteHeader code 99]"},
		"a panic": {scenario{handle: func(w http.ResponseWriter, r *http.Request, _ func(...any)) {
			drop(io.WriteString(w, "not sent"))
			stumble(w, r)
		}}, "End:out of cheese"},
		"nil panic":    {scenario{handle: func(http.ResponseWriter, *http.Request, func(...any)) { panic(nil) }}, "panic called with nil argument"},
		"hanging up":   {scenario{handle: func(w http.ResponseWriter, r *http.Request, _ func(...any)) { hangUp(w, r) }}, "End:net/http: abort Handler"},
		"a late panic": {scenario{handle: func(http.ResponseWriter, *http.Request, func(...any)) { overrun(); panic("late") }}, "End:returned"},
		"a late exit":  {scenario{handle: func(http.ResponseWriter, *http.Request, func(...any)) { overrun(); runtime.Goexit() }}, "End:returned"},
		"timeout": {scenario{handle: func(w http.ResponseWriter, r *http.Request, note func(...any)) {
			w.Header().Set("Content-Type", "text/early") // is not that of the message
			note(io.WriteString(w, "not sent"))
			<-r.Context().Done()
			note(r.Context().Err())
			overrun()
			note(io.WriteString(w, "late"))
			w.WriteHeader(404)
			w.WriteHeader(404)
			w.Header().Set("X-Late", "not sent")
		}}, "http: Handler timeout"},
		"an earlier deadline": {scenario{ctx: endsAfter(time.Second / 2), handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			overrun()
			note(io.WriteString(w, "late"))
		}}, "Took:500ms"},
		"client hung up": {scenario{ctx: hungUp, handle: func(w http.ResponseWriter, r *http.Request, note func(...any)) {
			overrun()
			note(io.WriteString(w, "late"))
			note(r.Context().Err(), context.Cause(r.Context()))
		}}, "Noted:[0 context canceled context canceled a cause]"},
		"deadline": {scenario{handle: func(_ http.ResponseWriter, r *http.Request, note func(...any)) {
			deadline, ok := r.Context().Deadline()
			note(time.Until(deadline), ok, r.URL.Path)
		}}, "Noted:[1s true /]"},
		"flush and hijack": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			c := http.NewResponseController(w)
			_, _, err := c.Hijack()
			note(c.Flush(), err, c.SetReadDeadline(time.Time{}))
		}}, "feature not supported"},
		"push without a pusher": {scenario{handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			note(w.(http.Pusher).Push("/style.css", nil))
		}}, "feature not supported"},
		"push": {scenario{pushes: true, handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
			note(w.(http.Pusher).Push("/style.css", nil))
		}}, "Pushed:[/style.css]"},
	} {
		t.Run(name, func(t *testing.T) {
			theirs := c.observe(t, func(_ *hemlock.Pool, h http.Handler) http.Handler {
				return http.TimeoutHandler(h, time.Second, message)
			})
			require.Contains(t, fmt.Sprintf("%+v", theirs), c.want)
			ours := c.observe(t, func(p *hemlock.Pool, h http.Handler) http.Handler {
				return hemlockhttp.TimeoutHandler(p, h, time.Second, message)
			})
			require.Equal(t, theirs, ours)
		})
	}
}

// drop drops what Write returns.
func drop(int, error) {}

// A limit is kept to the moment.
func TestLimitIsKept(t *testing.T) {
	for sleep, want := range map[time.Duration]int{
		time.Second - pooltest.Moment: http.StatusOK,
		time.Second + pooltest.Moment: http.StatusServiceUnavailable,
	} {
		s := scenario{handle: func(http.ResponseWriter, *http.Request, func(...any)) { time.Sleep(sleep) }}
		seen := s.observe(t, func(p *hemlock.Pool, h http.Handler) http.Handler {
			h = hemlockhttp.TimeoutHandler(p, h, time.Second, "")
			time.Sleep(time.Hour) // the limit is that of a request, and begins with it
			return h
		})
		require.Equal(t, want, seen.Status)
		require.Equal(t, min(sleep, time.Second).String(), seen.Took)
		if want == http.StatusServiceUnavailable {
			require.Contains(t, seen.Body, "<title>Timeout</title>")
		}
	}
}

// A handler that ends because its context did is too late, however it ends.
func TestEndingByTheTimeoutIsTooLate(t *testing.T) {
	for name, end := range map[string]http.HandlerFunc{
		"return": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"panic":  stumble,
		"exit":   exit,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := hemlockhttp.TimeoutHandler(pooltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					<-r.Context().Done()
					end(w, r)
				}), time.Second, message)
				for range 100 {
					w := httptest.NewRecorder()
					require.Equal(t, "returned", call(h, w, request()))
					require.Equal(t, http.StatusServiceUnavailable, w.Code)
					require.Equal(t, message, w.Body.String())
				}
			})
		})
	}
}

// Handlers that overran and still run do not hold up other requests.
func TestOverrunHandlersDoNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const stuck = 200
		p := pooltest.New(t)
		release := make(chan struct{})
		hang := hemlockhttp.TimeoutHandler(p, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }), time.Second, "")
		for range stuck {
			go hang.ServeHTTP(httptest.NewRecorder(), request())
		}
		overrun()
		require.EqualValues(t, stuck, p.Stats().Running)
		begin, w := time.Now(), httptest.NewRecorder()
		hemlockhttp.TimeoutHandler(p, http.NotFoundHandler(), time.Second, "").ServeHTTP(w, request())
		require.Equal(t, http.StatusNotFound, w.Code)
		require.Zero(t, time.Since(begin))
		close(release)
	})
}

// However the request ends, its context ends with it, and so does the timer.
func TestContextEndsWithTheRequest(t *testing.T) {
	for _, end := range []http.HandlerFunc{func(http.ResponseWriter, *http.Request) {}, stumble, exit} {
		var ctx context.Context
		h := hemlockhttp.TimeoutHandler(pooltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx = r.Context()
			end(w, r)
		}), time.Hour, "")
		call(h, httptest.NewRecorder(), request())
		require.ErrorIs(t, ctx.Err(), context.Canceled)
	}
}

func TestPanickingHandlerKeepsItsWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pooltest.New(t, hemlock.WithKillInterval(0))
		h := hemlockhttp.TimeoutHandler(p, http.HandlerFunc(stumble), time.Second, "")
		for range 10 {
			require.Equal(t, "out of cheese", call(h, httptest.NewRecorder(), request()))
			synctest.Wait()
		}
		require.Equal(t, hemlock.Stats{Workers: 1, Idle: 1, Submitted: 10, Completed: 10, Spawned: 1, PeakWorkers: 1}, p.Stats())
	})
}

// The server may take back its writer after the timeout.
func TestPushAfterTheTimeoutFails(t *testing.T) {
	s := scenario{pushes: true, handle: func(w http.ResponseWriter, _ *http.Request, note func(...any)) {
		overrun()
		note(w.(http.Pusher).Push("/style.css", nil))
	}}
	seen := s.observe(t, func(p *hemlock.Pool, h http.Handler) http.Handler {
		return hemlockhttp.TimeoutHandler(p, h, time.Second, "")
	})
	require.Equal(t, []any{http.ErrHandlerTimeout}, seen.Noted)
	require.Empty(t, seen.Pushed)
}

// A slowWriter is that of a client which takes a minute to read the answer.
type slowWriter struct{ *httptest.ResponseRecorder }

func (w slowWriter) WriteHeader(code int) {
	time.Sleep(time.Minute)
	w.ResponseRecorder.WriteHeader(code)
}

func TestLateWriteDoesNotWaitForTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, failed := time.Now(), make(chan time.Duration, 1)
		h := hemlockhttp.TimeoutHandler(pooltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			overrun()
			if _, err := io.WriteString(w, "late"); err == http.ErrHandlerTimeout {
				failed <- time.Since(begin)
			}
			close(failed)
		}), time.Second, "")
		h.ServeHTTP(slowWriter{httptest.NewRecorder()}, request())
		require.Equal(t, time.Minute+time.Second, time.Since(begin))
		require.Equal(t, 2*time.Second, <-failed)
	})
}

// Without a server in the context, as in a test, the standard logger prints it.
func TestSuperfluousStatusIsLoggedWithoutAServer(t *testing.T) {
	logged := new(pooltest.Log)
	defer log.SetOutput(log.Writer())
	log.SetOutput(logged)
	h := hemlockhttp.TimeoutHandler(pooltest.New(t), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(404)
		w.WriteHeader(404)
	}), time.Hour, "")
	h.ServeHTTP(httptest.NewRecorder(), request())
	require.Contains(t, logged.String(), "superfluous response.WriteHeader call from example.com/hemlock/http_test.")
}

func withLimit(limit time.Duration, h http.HandlerFunc) func(*hemlock.Pool) http.Handler {
	return func(p *hemlock.Pool) http.Handler { return hemlockhttp.TimeoutHandler(p, h, limit, "") }
}

// Handlers read their request, and write until and after the limit, which comes at any
// moment. Each client gets the whole answer or the message, never a mixture, and no
// header of another.
func TestAnswersAreWholeAroundTheLimit(t *testing.T) {
	const part = "part "
	everyProtocol(t, withLimit(5*time.Millisecond, func(w http.ResponseWriter, r *http.Request) {
		var parts int
		_, err := fmt.Fscan(r.Body, &parts)
		w.Header().Set("X-Parts", fmt.Sprint(parts, err))
		if parts == 0 {
			w.WriteHeader(http.StatusNoContent)
		}
		for range parts {
			_, _ = io.WriteString(w, part)
			time.Sleep(time.Millisecond)
		}
	}), func(t *testing.T, s served) {
		var group errgroup.Group
		group.SetLimit(10)
		for i := range max(20, pooltest.Scaled(1000)) {
			group.Go(func() error {
				parts := i % 10
				answer, err := s.client.Post(s.url, "", strings.NewReader(fmt.Sprint(parts)))
				if err != nil {
					return err
				}
				defer answer.Body.Close()
				body, err := io.ReadAll(answer.Body)
				if err != nil {
					return err
				}
				whole := answer.Header.Get("X-Parts") == fmt.Sprint(parts, nil) && string(body) == strings.Repeat(part, parts)
				message := strings.Contains(string(body), "<title>Timeout</title>") && answer.Header.Get("X-Parts") == ""
				switch status := answer.StatusCode; {
				case whole && status == http.StatusOK && parts > 0, whole && status == http.StatusNoContent && parts == 0:
				case message && status == http.StatusServiceUnavailable:
				default:
					return fmt.Errorf("%d: %v: %q", status, answer.Header, body)
				}
				return nil
			})
		}
		require.NoError(t, group.Wait())
	})
}

// The handler of a client that hangs up learns it from the context and from Write.
func TestHandlerLearnsThatTheClientHungUp(t *testing.T) {
	begun, noted := make(chan struct{}), make(chan []error, 1)
	everyProtocol(t, withLimit(time.Hour, func(w http.ResponseWriter, r *http.Request) {
		begun <- struct{}{}
		<-r.Context().Done()
		errs := []error{r.Context().Err(), nil}
		for errs[1] == nil { // until the goroutine of the server has noticed, too
			_, errs[1] = io.WriteString(w, "a")
			time.Sleep(time.Millisecond)
		}
		noted <- errs
	}), func(t *testing.T, s served) {
		ctx, cancel := context.WithCancel(t.Context())
		asked := make(chan error, 1)
		go func() {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
			if err == nil {
				_, err = s.client.Do(r)
			}
			asked <- err
		}()
		<-begun
		cancel()
		require.ErrorIs(t, <-asked, context.Canceled)
		require.Equal(t, []error{context.Canceled, context.Canceled}, <-noted)
	})
}

// The bytes on the wire, and the log, are those of net/http.
func TestBytesOnTheWireAreThoseOfNetHTTP(t *testing.T) {
	pool, release := pooltest.New(t), make(chan struct{})
	t.Cleanup(func() { close(release) })
	for name, handler := range map[string]http.HandlerFunc{
		"nothing":    func(http.ResponseWriter, *http.Request) {},
		"body":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") },
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"unmodified": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) },
		"early hint": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) },
		"timeout":    func(http.ResponseWriter, *http.Request) { <-release },
		"statuses":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(404) },
	} {
		t.Run(name, func(t *testing.T) {
			limit := time.Hour
			if name == "timeout" {
				limit = time.Millisecond
			}
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				theirs, theirLog := wire(t, method, http.TimeoutHandler(handler, limit, message))
				ours, ourLog := wire(t, method, hemlockhttp.TimeoutHandler(pool, handler, limit, message))
				require.Contains(t, theirs, "HTTP/1.1 ")
				require.Equal(t, theirs, ours)
				require.Equal(t, theirLog, ourLog)
				require.Equal(t, name == "statuses", ourLog != "")
			}
		})
	}
}

// wire returns what a server sends and logs.
func wire(t *testing.T, method string, h http.Handler) (sent, logged string) {
	buffer := new(pooltest.Log)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		h.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(buffer, "", 0)
	server.Start()
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: loopback\r\nConnection: close\r\n\r\n", method)
	all, err := io.ReadAll(bufio.NewReader(conn))
	require.NoError(t, err)
	server.Close()
	return string(all), buffer.String()
}
