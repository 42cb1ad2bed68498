package main

import (
	"context"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

const (
	tries       = 3       // the time for the answers to come doubles with each
	receiveRoom = 1 << 20 // octets that the kernel is asked to keep for it
)

// A tally counts what became of questions.
type tally struct {
	asked    int
	answered int
	lost     int // not answered after all tries
	wrong    int // answered, and not as the zone says

	// firstErr is the first reason for anything lost or wrong.
	firstErr error
}

func (t *tally) add(other tally) {
	t.asked += other.asked
	t.answered += other.answered
	t.lost += other.lost
	t.wrong += other.wrong
	if t.firstErr == nil {
		t.firstErr = other.firstErr
	}
}

func (t *tally) fault(err error) {
	if t.firstErr == nil {
		t.firstErr = err
	}
}

// A socket asks questions, many at a time, over one connection.
type socket struct {
	network  string // udp or tcp
	addr     string
	firstTry time.Duration // how long the first try may take
	conn     *dns.Conn     // nil until it is needed
	lastID   uint16
}

// A batch is what a socket is waiting for.
type batch struct {
	open      map[uint16]*expectation
	truncated []*expectation // to be asked again over TCP
	tally     tally
	lastErr   error // of the last round
}

// ask puts all questions at once, those that are not answered again, and checks
// the answers. An answer that was truncated is fetched over TCP, as a resolver
// would.
func (s *socket) ask(ctx context.Context, questions []*expectation) tally {
	b := batch{open: make(map[uint16]*expectation, len(questions)), lastErr: context.Canceled}
	for _, e := range questions {
		s.lastID++ // a late answer to an earlier question matches none of these
		b.open[s.lastID] = e
	}
	for try := 0; try < tries && len(b.open) > 0 && ctx.Err() == nil; try++ {
		if b.lastErr = s.round(ctx, &b, s.firstTry<<try); b.lastErr != nil {
			s.hangUp()
		}
	}
	b.settle()
	if len(b.truncated) > 0 {
		whole := socket{network: "tcp", addr: s.addr, firstTry: s.firstTry}
		defer whole.hangUp()
		b.tally.add(whole.ask(ctx, b.truncated))
	}
	return b.tally
}

// settle gives up on what is still open.
func (b *batch) settle() {
	for _, e := range b.open {
		b.tally.asked++
		b.tally.lost++
		b.tally.fault(fmt.Errorf("%v: no answer: %w", e, b.lastErr))
	}
}

// round sends every open question and reads until all are answered or time is
// up.
func (s *socket) round(ctx context.Context, b *batch, within time.Duration) error {
	if err := s.connect(within); err != nil {
		return err
	}
	// A conn that is closed by hangUp does not mind a deadline.
	unblock := context.AfterFunc(ctx, s.interrupter())
	defer unblock()
	if err := s.conn.SetDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	for id, e := range b.open {
		if err := s.conn.WriteMsg(e.query(id)); err != nil {
			return err
		}
	}
	for len(b.open) > 0 {
		m, err := s.conn.ReadMsg()
		if err != nil {
			return err
		}
		b.take(m, s.network)
	}
	return nil
}

func (s *socket) interrupter() func() {
	conn := s.conn
	return func() { _ = conn.SetDeadline(past) }
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

// take looks for the question that the message answers.
func (b *batch) take(m *dns.Msg, network string) {
	e := b.open[m.Id]
	if e == nil {
		return
	}
	delete(b.open, m.Id)
	if m.Truncated && network == "udp" {
		b.truncated = append(b.truncated, e)
		return
	}
	b.tally.asked++
	b.tally.answered++
	if err := e.check(m); err != nil {
		b.tally.wrong++
		b.tally.fault(fmt.Errorf("%v: %w", e, err))
	}
}

func (s *socket) connect(within time.Duration) error {
	if s.conn != nil {
		return nil
	}
	conn, err := (&dns.Client{Net: s.network, DialTimeout: within}).Dial(s.addr)
	if err != nil {
		return err
	}
	conn.UDPSize = maxUDP
	if buffered, ok := conn.Conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = buffered.SetReadBuffer(receiveRoom)
	}
	s.conn = conn
	return nil
}

func (s *socket) hangUp() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
