package load

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"
)

// A Bystander is something in the process that has nothing to do with the pool.
type Bystander string

// The bystanders of a burst. Inside is none: it measures the tasks of the burst, from
// their first to their last instruction, less their work.
const (
	Sleeper Bystander = "sleep of 1 ms"
	Yielder Bystander = "Gosched"
	Token   Bystander = "token"
	Echo    Bystander = "TCP echo"
	Health  Bystander = "HTTP"
	Inside  Bystander = "in the task"
)

var bystanders = []Bystander{Sleeper, Yielder, Token, Echo, Health, Inside}

// nap is how long the sleeper sleeps. What is measured is how late it wakes up.
const nap = time.Millisecond

// start returns a step of the bystander, to be repeated, and what ends it.
func (b Bystander) start() (step func() error, end func(), err error) {
	switch b {
	case Sleeper:
		return func() error { time.Sleep(nap); return nil }, func() {}, nil
	case Yielder:
		return func() error { runtime.Gosched(); return nil }, func() {}, nil
	case Token:
		step, end = token()
		return step, end, nil
	case Echo:
		return echo()
	default:
		step, end = health()
		return step, end, nil
	}
}

// token passes a token to another goroutine and back.
func token() (step func() error, end func()) {
	there, back := make(chan struct{}), make(chan struct{})
	go func() {
		for t := range there {
			back <- t
		}
	}()
	return func() error { there <- struct{}{}; <-back; return nil }, func() { close(there) }
}

// echo sends a byte over a connection and waits until it comes back.
func echo() (step func() error, end func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return nil, nil, err
	}
	server, err := listener.Accept()
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	go func() {
		defer server.Close()
		// Without the wrapping the kernel would copy, and no goroutine wake up.
		_, _ = io.Copy(struct{ io.Writer }{server}, struct{ io.Reader }{server})
	}()
	one := make([]byte, 1)
	return func() error {
		if _, err := client.Write(one); err != nil {
			return err
		}
		_, err := client.Read(one)
		return err
	}, func() { client.Close() }, nil
}

// health sends requests to an HTTP server over one connection.
func health() (step func() error, end func()) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	client := server.Client()
	return func() error {
		answer, err := client.Get(server.URL)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body) // or the connection is not used again
		answer.Body.Close()
		return err
	}, server.Close
}
