package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// demoDrain is how long the server may take to stop once the demo is over.
const demoDrain = 2 * time.Second

// A script is what a demo does.
type script struct {
	phases   []phase
	within   time.Duration // then the demo is given up
	firstTry time.Duration // how long a client waits for its answers the first time
}

// A phase is a stretch of the demo with one kind of load. Each of its sockets asks a
// number of questions at once and checks the answers, once for each burst.
type phase struct {
	name    string
	bursts  int
	every   time.Duration // from one burst of a socket to the next
	udp     int           // sockets
	tcp     int           // connections
	atOnce  int           // questions of one burst on one socket
	stagger bool          // the UDP sockets take turns within a burst
}

// fullScript asks about 18,000 questions in about 11 seconds.
//
// In the spike the TCP connections send together. That makes the pool swell: flow
// control holds back what the server has not read. UDP has none, and the sockets send
// into one buffer of the server, which overflows at 500 packets with the usual limits
// of the system. So those take turns.
var fullScript = script{
	within:   17 * time.Second,
	firstTry: time.Second,
	phases: []phase{
		{name: "quiet", bursts: 30, every: 66 * time.Millisecond, udp: 1, tcp: 1, atOnce: 5},
		{name: "spike", bursts: 8, every: 400 * time.Millisecond, udp: 6, tcp: 8, atOnce: 150, stagger: true},
		{name: "quiet", bursts: 85, every: 66 * time.Millisecond, udp: 1, tcp: 1, atOnce: 5},
	},
}

// A demo drives a server and keeps the score.
type demo struct {
	// Immutable.
	server *server
	script script
	book   []*expectation
	out    io.Writer
	begin  time.Time

	// mu guards what follows.
	mu    sync.Mutex
	score tally
	phase string
	next  int // the question of the book that is asked next
}

func newDemo(s *server, records []dns.RR, what script, out io.Writer) *demo {
	return &demo{
		server: s,
		script: what,
		book:   newOracle(records).expectations(),
		out:    out,
		begin:  time.Now(),
	}
}

// runDemo starts a server, drives it through the script, and prints the outcome. The
// error says what was lost or wrong, or that the runner did not shrink.
func runDemo(ctx context.Context, cfg config, what script, out io.Writer, log *slog.Logger) error {
	records, err := loadRecords(cfg.zone)
	if err != nil {
		return err
	}
	s, err := openServer(cfg, log)
	if err != nil {
		return err
	}
	d := newDemo(s, records, what, out)
	lastLine, verdict := d.verdict(d.play(ctx))
	if s.monitor == nil {
		err = stop(s, demoDrain) // before the last line, so that its log is too
		fmt.Fprintln(out, lastLine)
		return errors.Join(verdict, err)
	}
	fmt.Fprintln(out, lastLine)
	log.Info("serving until interrupted", "http", s.monitor.addr(), "demo", result(verdict))
	<-ctx.Done()
	return errors.Join(verdict, stop(s, demoDrain))
}

// verdict returns the score as a line, and what the demo failed for.
func (d *demo) verdict(played error) (line string, err error) {
	now, peak, noun := d.server.runner.Level()
	line = fmt.Sprintf("demo: %d queries, %d answered, %d lost; peak %d %s, now %d",
		d.score.asked, d.score.answered, d.score.lost, peak, noun, now)
	err = errors.Join(played, d.fault())
	if err == nil && now >= peak {
		err = fmt.Errorf("demo: still %d %s after a peak of %d", now, noun, peak)
	}
	return line, err
}

func result(verdict error) string {
	if verdict != nil {
		return verdict.Error()
	}
	return "passed"
}

// fault says what was lost or wrong.
func (d *demo) fault() error {
	if d.score.lost == 0 && d.score.wrong == 0 {
		return nil
	}
	return fmt.Errorf("demo: %d lost, %d wrong, the first: %w", d.score.lost, d.score.wrong, d.score.firstErr)
}

// play goes through the script while lines are printed.
func (d *demo) play(ctx context.Context) error {
	late := fmt.Errorf("demo: not done after %v", d.script.within)
	ctx, cancel := context.WithTimeoutCause(ctx, d.script.within, late)
	defer cancel()
	reporting, done := context.WithCancel(ctx)
	var reporter sync.WaitGroup
	reporter.Go(func() { d.report(reporting) })
	defer reporter.Wait()
	defer done()
	for _, p := range d.script.phases {
		d.enter(p.name)
		d.load(ctx, p)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// load keeps the sockets of one phase busy until all their bursts are answered.
func (d *demo) load(ctx context.Context, p phase) {
	var sockets sync.WaitGroup
	for i := range p.udp {
		var turn time.Duration
		if p.stagger {
			turn = p.every * time.Duration(i) / time.Duration(p.udp)
		}
		sockets.Go(func() { d.drive(ctx, "udp", p, turn) })
	}
	for range p.tcp {
		sockets.Go(func() { d.drive(ctx, "tcp", p, 0) })
	}
	sockets.Wait()
}

// drive has one socket ask its bursts. One that is behind does not catch up.
func (d *demo) drive(ctx context.Context, network string, p phase, turn time.Duration) {
	s := socket{network: network, addr: d.server.addr().String(), firstTry: d.script.firstTry}
	defer s.hangUp()
	if !sleep(ctx, turn) {
		return
	}
	for range p.bursts {
		due := time.Now().Add(p.every)
		d.count(s.ask(ctx, d.questions(p.atOnce)))
		if !sleep(ctx, time.Until(due)) {
			return
		}
	}
}

// questions returns the next n of the book, which begins again at its end.
func (d *demo) questions(n int) []*expectation {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]*expectation, n)
	for i := range list {
		list[i] = d.book[d.next%len(d.book)]
		d.next++
	}
	return list
}

func (d *demo) count(t tally) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.score.add(t)
}

func (d *demo) enter(phase string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.phase = phase
}

// report prints a line a second until ctx ends.
func (d *demo) report(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.mu.Lock()
			fmt.Fprintf(d.out, "%3.0fs %s: %v\n", time.Since(d.begin).Seconds(), d.phase, d.server.runner.Counts())
			d.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// sleep reports whether ctx did not end in the meantime.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
