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

// askDNS keeps the socket's share of questions on their way. A question that is
// lost is replaced when nothing came for a while.
func askDNS(ctx context.Context, addr string, answered *atomic.Int64) error {
	conn, err := net.Dial("udp", addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var id uint16
	ask := func(questions int) error {
		for range questions {
			id++
			m := new(dns.Msg).SetQuestion(names[int(id)%len(names)], dns.TypeA)
			m.Id = id
			packet, err := m.Pack()
			if err != nil {
				return err
			}
			if _, err := conn.Write(packet); err != nil {
				return err
			}
		}
		return nil
	}
	const share, patience = callers / sockets, 200 * time.Millisecond
	if err := ask(share); err != nil {
		return err
	}
	var buf [4096]byte
	for ctx.Err() == nil {
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		n, err := conn.Read(buf[:])
		switch {
		case err != nil && !isTimeout(err):
			return err
		case err != nil:
			err = ask(share)
		case n < 12 || binary.BigEndian.Uint16(buf[2:])&0x8000 == 0:
			err = errors.New("not an answer")
		default:
			answered.Add(1)
			err = ask(1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
