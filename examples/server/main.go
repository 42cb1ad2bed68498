// Command server is there to be copied: a TCP server of lines, which it answers in upper case, on a pool.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"example.com/hemlock"
	"golang.org/x/sync/semaphore"
)

const patience = 10 * time.Second // for a client to send a line and read the answer

func main() {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore) // a second signal ends the process at once
	public, err := net.Listen("tcp", "127.0.0.1:7000")
	private, err2 := net.Listen("tcp", "127.0.0.1:7001")
	if err = errors.Join(err, err2); err == nil {
		err = run(ctx, public, private, 1000)
	}
	if err != nil {
		slog.Error("server", "error", err)
		os.Exit(1)
	}
}

// run serves up to most connections at once until ctx ends or public fails, and then finishes what has begun.
func run(ctx context.Context, public, private net.Listener, most int64) error {
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, stack []byte) {
		slog.Error("task panicked", "value", v, "stack", string(stack))
	}))
	debug := http.NewServeMux()
	debug.HandleFunc("/debug/pool", func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(pool.Stats()) })
	go http.Serve(private, debug)
	context.AfterFunc(ctx, func() { public.Close() })
	err := accept(ctx, pool, public, most)
	ending, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	return errors.Join(err, pool.Shutdown(ending))
}

func accept(ctx context.Context, pool *hemlock.Pool, public net.Listener, most int64) error {
	limit := semaphore.NewWeighted(most) // the pool has none; over this one, connections wait in the system's queue
	for limit.Acquire(ctx, 1) == nil {
		conn, err := public.Accept()
		if errors.Is(err, net.ErrClosed) {
			break
		} else if err != nil {
			return err
		}
		pool.Run(func() {
			defer limit.Release(1)
			answer(ctx, conn)
		})
	}
	return nil
}

// answer serves one client. It looks at ctx after it has set the deadline, which replaces that of AfterFunc.
func answer(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })()
	lines := bufio.NewScanner(conn)
	lines.Split(func(data []byte, _ bool) (int, []byte, error) { return bufio.ScanLines(data, false) }) // none that is cut off
	for conn.SetDeadline(time.Now().Add(patience)) == nil && ctx.Err() == nil && lines.Scan() {
		fmt.Fprintln(conn, strings.ToUpper(lines.Text()))
	}
}
