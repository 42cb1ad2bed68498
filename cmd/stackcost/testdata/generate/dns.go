package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"
)

const (
	callers = 64 // requests without an answer at a time
	sockets = 8
)

// buildDNS builds the project's DNS server. With -trimpath the profiles do not
// depend on where the project lies.
func buildDNS(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(dir, "dnsserver"), ".")
	cmd.Dir = filepath.FromSlash("../../../../examples/dnsserver")
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(out)))
	}
	return nil
}

func dnsCommand(dir, runner string, work int) *exec.Cmd {
	return exec.Command(filepath.Join(dir, "dnsserver"), "-addr", "127.0.0.1:0", "-http", "127.0.0.1:0",
		"-runner", runner, "-work", strconv.Itoa(work))
}

// loadDNS asks until ctx ends and returns how many answers came.
func loadDNS(ctx context.Context, addr string) (int64, error) {
	var answered atomic.Int64
	var group errgroup.Group
	for range sockets {
		group.Go(func() error { return askDNS(ctx, addr, &answered) })
	}
	err := group.Wait()
	return answered.Load(), err
}

// names of the shipped zone: addresses, aliases and names that do not exist.
var names = []string{"www.example.org.", "shop.example.org.", "api.example.org.", "nope.example.org.", "example.org."}

// share is how many questions of a socket are on their way. When nothing has
// come for as long as patience they are taken for lost.
const share, patience = callers / sockets, 200 * time.Millisecond

// askDNS keeps the socket's share of questions on their way.
func askDNS(ctx context.Context, addr string, answered *atomic.Int64) error {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	c := client{Conn: conn}
	for wanted := share; err == nil && ctx.Err() == nil; {
		if err = c.ask(wanted); err == nil {
			wanted, err = c.wait(answered)
		}
	}
	return err
}

// A client asks over one socket.
type client struct {
	net.Conn
	id  uint16
	buf [4096]byte
}

func (c *client) ask(questions int) error {
	for range questions {
		c.id++
		m := new(dns.Msg).SetQuestion(names[int(c.id)%len(names)], dns.TypeA)
		m.Id = c.id
		packet, err := m.Pack()
		if err != nil {
			return err
		}
		if _, err := c.Write(packet); err != nil {
			return err
		}
	}
	return nil
}

// wait waits for an answer and returns how many questions to ask next: one more,
// or the whole share if none came.
func (c *client) wait(answered *atomic.Int64) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	n, err := c.Read(c.buf[:])
	switch {
	case err != nil && isTimeout(err):
		return share, nil
	case err != nil:
		return 0, err
	case n < 12 || binary.BigEndian.Uint16(c.buf[2:])&0x8000 == 0:
		return 0, errors.New("not an answer")
	}
	answered.Add(1)
	return 1, nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
