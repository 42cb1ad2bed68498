package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// A tally counts what became of questions.
type tally struct {
	mu sync.Mutex // guards what follows

	asked    int
	answered int
	lost     int
	wrong    int // answered, and not as the zone says

	// firstErr is the first reason for anything lost or wrong.
	firstErr error
}

// note adds a question and its answer, or why there is none.
func (t *tally) note(e *expectation, m *dns.Msg, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.asked++
	if err != nil {
		t.lost++
	} else {
		t.answered++
		if err = e.check(m); err != nil {
			t.wrong++
		}
	}
	if err != nil && t.firstErr == nil {
		t.firstErr = fmt.Errorf("%v: %w", e, err)
	}
}

// fault says what was lost or wrong.
func (t *tally) fault() error {
	if t.firstErr == nil {
		return nil
	}
	return fmt.Errorf("demo: %d lost, %d wrong, the first: %w", t.lost, t.wrong, t.firstErr)
}

// A socket asks questions, many at a time, over one connection.
type socket struct {
	network string // udp or tcp
	addr    string
	within  time.Duration // for answers to come
	conn    *dns.Conn     // nil until it is needed
	lastID  uint16
	score   *tally
}

// ask puts all questions at once, and checks the answers. An answer that was truncated,
// or that has not come, is asked for over TCP, as a resolver would.
func (s *socket) ask(ctx context.Context, questions []*expectation) {
	open := make(map[uint16]*expectation, len(questions))
	for _, e := range questions {
		s.lastID++ // a late answer to an earlier question matches none of these
		open[s.lastID] = e
	}
	if err := s.round(ctx, open); err != nil {
		s.hangUp()
	}
	again := dns.Client{Net: "tcp", Timeout: 3 * s.within}
	for id, e := range open {
		m, _, err := again.ExchangeContext(ctx, e.query(id), s.addr)
		s.score.note(e, m, err)
	}
}

// round sends every open question and reads until all are answered or time is up. Those
// with a whole answer are open no more.
func (s *socket) round(ctx context.Context, open map[uint16]*expectation) (err error) {
	if s.conn == nil {
		if s.conn, err = (&dns.Client{Net: s.network, DialTimeout: s.within}).DialContext(ctx, s.addr); err != nil {
			return err
		}
		s.conn.UDPSize = maxUDP
	}
	if err := s.conn.SetDeadline(time.Now().Add(s.within)); err != nil {
		return err
	}
	conn := s.conn // hangUp forgets it
	unblock := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })
	defer unblock()
	for id, e := range open {
		if err := s.conn.WriteMsg(e.query(id)); err != nil {
			return err
		}
	}
	for waiting := len(open); waiting > 0; {
		m, err := s.conn.ReadMsg()
		if err != nil {
			return err
		}
		e := open[m.Id]
		if e == nil {
			continue
		}
		waiting--
		if !m.Truncated {
			delete(open, m.Id)
			s.score.note(e, m, nil)
		}
	}
	return nil
}

// query returns the question as a message. Every other one takes answers of more
// than 512 octets.
func (e *expectation) query(id uint16) *dns.Msg {
	m := &dns.Msg{Question: []dns.Question{e.question}}
	m.Id = id
	if id%2 == 0 {
		m.SetEdns0(maxUDP, false)
	}
	return m
}

func (s *socket) hangUp() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
