package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// asChild makes the test binary behave as the program.
const asChild = "DNSSERVER_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		main()
	}
	os.Exit(m.Run())
}

// patience bounds waits that end at once unless something is broken.
const patience = time.Minute

func mustZone(t testing.TB, text string) *zone {
	t.Helper()
	z, err := readZone(strings.NewReader(text), "test.zone")
	require.NoError(t, err)
	return z
}

func shippedResponder(t testing.TB) *responder {
	t.Helper()
	z, err := loadZone("")
	require.NoError(t, err)
	return &responder{zone: z}
}

var runners = []string{poolRunner, goRunner}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// loopback is a configuration that any number of servers can have at once.
func loopback(runner string) config {
	return config{addr: "127.0.0.1:0", runner: runner, killInterval: time.Millisecond, killDelay: 10 * time.Millisecond}
}

func startServer(t testing.TB, cfg config) *server {
	t.Helper()
	s, err := openServer(cfg, quiet())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, stop(s, patience)) })
	return s
}

// startWith starts a server that a test has taken apart.
func startWith(t testing.TB, most int, queries *responder, r runner, log *slog.Logger) *server {
	t.Helper()
	conn, listener, err := listen("127.0.0.1:0")
	require.NoError(t, err)
	s := newServer(conn, listener, most, queries, r, log)
	t.Cleanup(func() { require.NoError(t, stop(s, patience)) })
	return s
}

// exchange asks one question and returns its answer.
func exchange(t testing.TB, conn *dns.Conn, query *dns.Msg) *dns.Msg {
	t.Helper()
	require.NoError(t, conn.WriteMsg(query))
	m, err := conn.ReadMsg()
	require.NoError(t, err)
	return m
}

func dial(t testing.TB, network, addr string) *dns.Conn {
	t.Helper()
	conn, err := (&dns.Client{Net: network, DialTimeout: patience}).Dial(addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	conn.UDPSize = maxUDP
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

func question(id uint16, name string, qtype uint16) *dns.Msg {
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.Id = id
	return m
}

func packed(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	wire, err := m.Pack()
	require.NoError(t, err)
	return wire
}

func unpacked(t testing.TB, wire []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	require.NoError(t, m.Unpack(wire))
	return m
}

// ask returns the reply to a message.
func (r *responder) ask(t testing.TB, query *dns.Msg, over transport) *dns.Msg {
	t.Helper()
	return unpacked(t, r.reply(packed(t, query), over, nil))
}
