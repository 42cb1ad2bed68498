package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
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

	score tally
	phase atomic.Pointer[phase]
	next  atomic.Int64 // the question of the book that is asked next
}

func newDemo(s *server, book []*expectation, what script, out io.Writer) *demo {
	return &demo{server: s, script: what, book: book, out: out, begin: time.Now()}
}

// runDemo starts a server, drives it through the script, and prints the outcome. The
// error says what was lost or wrong, or that the runner did not shrink.
func runDemo(ctx context.Context, cfg config, what script, out io.Writer, log *slog.Logger) error {
	s, err := openServer(cfg, log)
	if err != nil {
		return err
	}
	d := newDemo(s, s.queries.zone.book(), what, out)
	lastLine, verdict := d.verdict(d.play(ctx), nouns[cfg.runner])
	if len(s.monitor.addrs) > 0 {
		fmt.Fprintln(out, lastLine)
		log.Info("serving until interrupted", "failed", verdict)
		<-ctx.Done()
		return errors.Join(verdict, stop(s, demoDrain))
	}
	err = stop(s, demoDrain) // before the last line, so that its log is too
	fmt.Fprintln(out, lastLine)
	return errors.Join(verdict, err)
}

// verdict returns the score as a line, and what the demo failed for.
func (d *demo) verdict(played error, noun string) (line string, err error) {
	stats := d.server.runner.Stats()
	line = fmt.Sprintf("demo: %d queries, %d answered, %d lost; peak %d %s, now %d",
		d.score.asked, d.score.answered, d.score.lost, stats.PeakWorkers, noun, stats.Workers)
	switch {
	case played != nil || d.score.firstErr != nil:
		err = errors.Join(played, d.score.fault())
	case stats.Workers >= stats.PeakWorkers:
		err = fmt.Errorf("demo: still %d %s after a peak of %d", stats.Workers, noun, stats.PeakWorkers)
	}
	return line, err
}

// play goes through the script while lines are printed.
func (d *demo) play(ctx context.Context) error {
	late := fmt.Errorf("demo: not done after %v", d.script.within)
	ctx, cancel := context.WithTimeoutCause(ctx, d.script.within, late)
	defer cancel()
	reporting, done := context.WithCancel(ctx)
	var reporter sync.WaitGroup
	defer reporter.Wait()
	defer done()
	d.phase.Store(&d.script.phases[0])
	reporter.Go(func() { d.report(reporting) })
	for _, p := range d.script.phases {
		d.phase.Store(&p)
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
	s := socket{network: network, addr: d.server.addr().String(), within: d.script.firstTry, score: &d.score}
	defer s.hangUp()
	if !sleep(ctx, turn) {
		return
	}
	for range p.bursts {
		due := time.Now().Add(p.every)
		questions := make([]*expectation, p.atOnce)
		for i := range questions {
			questions[i] = d.book[int(d.next.Add(1))%len(d.book)]
		}
		s.ask(ctx, questions)
		if !sleep(ctx, time.Until(due)) {
			return
		}
	}
}

// report prints a line a second until ctx ends.
func (d *demo) report(ctx context.Context) {
	for sleep(ctx, time.Second) {
		fmt.Fprintf(d.out, "%3.0fs %s: %v\n", time.Since(d.begin).Seconds(), d.phase.Load().name, d.server.runner.Stats())
	}
}
