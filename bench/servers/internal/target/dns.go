package target

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// dnsTarget is a DNS server over UDP. The library's own starts a goroutine for
// each packet and has no hook for it; that is the mode "lib". In the others the
// program reads the packets itself, as examples/dnsserver does, and the library
// packs and unpacks them. A task is a query.
var dnsTarget = Target{
	Name:   "dns",
	Module: "github.com/miekg/dns",
	Modes:  []string{"go", "pool", "lib"},
	Serve:  serveDNS,
	Dial:   dialDNS,
}

// receiveBuffer is what the kernel is asked to keep for packets not yet read, in
// bytes, so that none is lost when all callers ask at once.
const receiveBuffer = 4 << 20

func serveDNS(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(loopback)))
	if err != nil {
		return Endpoint{}, nil, err
	}
	_ = conn.SetReadBuffer(receiveBuffer) // it grants what its limits allow
	endpoint := Endpoint{Address: conn.LocalAddr().String()}
	if way.Run == nil {
		stop, err := serveDNSByLibrary(conn, answer)
		return endpoint, stop, err
	}
	s := &dnsServer{conn: conn, run: way.Run, answer: answer}
	s.packets.New = func() any {
		p := &dnsPacket{server: s}
		p.task = p.reply
		return p
	}
	go s.serve()
	return endpoint, conn, nil
}

func serveDNSByLibrary(conn net.PacketConn, answer func([]byte) []byte) (io.Closer, error) {
	started, failed := make(chan struct{}), make(chan error, 1)
	server := &dns.Server{
		PacketConn:        conn,
		NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, query *dns.Msg) {
			_ = w.WriteMsg(replyTo(query, answer)) // the client misses it if it fails
		}),
	}
	go func() { failed <- server.ActivateAndServe() }()
	select {
	case <-started:
		return closers{server.Shutdown}, nil
	case err := <-failed:
		return nil, errors.Join(err, conn.Close())
	}
}

// A dnsServer reads queries and starts a task for each.
type dnsServer struct {
	conn    *net.UDPConn
	run     Run
	answer  func([]byte) []byte
	packets sync.Pool // of *dnsPacket
}

// A dnsPacket is one query on its way.
type dnsPacket struct {
	server *dnsServer
	task   func() // reply, bound once: binding it for each query would allocate
	from   netip.AddrPort
	length int
	buf    [dns.MinMsgSize]byte
}

// serve reads until the socket is closed. An error of one packet is not the end.
func (s *dnsServer) serve() {
	for {
		p, err := s.packets.Get().(*dnsPacket), error(nil)
		p.length, p.from, err = s.conn.ReadFromUDPAddrPort(p.buf[:])
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			s.packets.Put(p)
		default:
			s.run(p.task)
		}
	}
}

// reply is the task of a query. A packet that is no query has no reply.
func (p *dnsPacket) reply() {
	s := p.server
	defer s.packets.Put(p)
	query := new(dns.Msg)
	if err := query.Unpack(p.buf[:p.length]); err != nil || query.Response {
		return
	}
	if packed, err := replyTo(query, s.answer).PackBuffer(p.buf[:]); err == nil {
		_, _ = s.conn.WriteToUDPAddrPort(packed, p.from) // the client misses it if it fails
	}
}

// replyTo answers the question that is the first label of the name, in
// hexadecimal, with a text record.
func replyTo(query *dns.Msg, answer func([]byte) []byte) *dns.Msg {
	if len(query.Question) != 1 {
		return new(dns.Msg).SetRcode(query, dns.RcodeFormatError)
	}
	name := query.Question[0].Name
	label, _, _ := strings.Cut(name, ".")
	question, err := hex.DecodeString(label)
	if err != nil || len(question) == 0 {
		return new(dns.Msg).SetRcode(query, dns.RcodeNameError)
	}
	reply := new(dns.Msg).SetReply(query)
	reply.Answer = []dns.RR{&dns.TXT{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 1},
		Txt: []string{hex.EncodeToString(answer(question))},
	}}
	return reply
}

// A dnsClient is for one caller: it takes the next packet for its answer.
type dnsClient struct{ *dns.Conn }

func dialDNS(to Endpoint) (Client, error) {
	conn, err := dns.Dial("udp", to.Address)
	if err != nil {
		return nil, err
	}
	return dnsClient{conn}, nil
}

// Call implements [Client]. It observes only the deadline of ctx.
func (c dnsClient) Call(ctx context.Context, question []byte) ([]byte, error) {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	query := new(dns.Msg).SetQuestion(hex.EncodeToString(question)+".test.", dns.TypeTXT)
	if err := c.WriteMsg(query); err != nil {
		return nil, err
	}
	reply, err := c.ReadMsg()
	switch {
	case err != nil:
		return nil, err
	case reply.Id != query.Id || len(reply.Answer) != 1:
		return nil, fmt.Errorf("no answer: %s", dns.RcodeToString[reply.Rcode])
	}
	text, ok := reply.Answer[0].(*dns.TXT)
	if !ok {
		return nil, fmt.Errorf("no text: %v", reply.Answer[0])
	}
	return hex.DecodeString(strings.Join(text.Txt, ""))
}
