package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// wire joins octets given in hexadecimal; blanks separate fields.
func wire(t testing.TB, octets string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(octets, " ", ""))
	require.NoError(t, err)
	return b
}

const (
	askOrg  = "07 6578616d706c65 03 6f7267 00 0001 0001" // example.org. A IN
	emptyID = "beef"
)

// The header is ID, flags, and the numbers of questions, answers, authority and
// additional records.
var malformed = map[string]string{
	"no question":                emptyID + "0000 0000 0000 0000 0000",
	"question is missing":        emptyID + "0000 0001 0000 0000 0000",
	"two questions":              emptyID + "0000 0002 0000 0000 0000" + askOrg + askOrg,
	"name runs out":              emptyID + "0000 0001 0000 0000 0000 07 6578",
	"label type 01":              emptyID + "0000 0001 0000 0000 0000 41 61 00 0001 0001",
	"pointer to itself":          emptyID + "0000 0001 0000 0000 0000 c00c 0001 0001",
	"pointer beyond the end":     emptyID + "0000 0001 0000 0000 0000 c0ff 0001 0001",
	"record longer than it says": emptyID + "0000 0001 0000 0000 0001" + askOrg + "00 0001 0001 00000000 0005 c000020100",
}

func TestMalformedQueryGetsFORMERR(t *testing.T) {
	r := shippedResponder(t)
	for name, octets := range malformed {
		t.Run(name, func(t *testing.T) {
			m := unpacked(t, r.reply(wire(t, octets), overUDP, nil))
			require.Equal(t, dns.RcodeFormatError, m.Rcode)
			require.Equal(t, uint16(0xbeef), m.Id)
			require.True(t, m.Response)
			require.False(t, m.Authoritative)
			require.Empty(t, m.Question)
		})
	}
}

// dropped are packets that get no answer.
var dropped = map[string]string{
	"nothing":                     "",
	"an octet":                    "be",
	"a header short of one octet": emptyID + "0000 0001 0000 0000 00",
	"a response":                  emptyID + "8000 0001 0000 0000 0000" + askOrg,
	"a malformed response":        emptyID + "8000 0001 0000 0000 0000",
	"a response of another kind":  emptyID + "a800 0000 0000 0000 0000",
}

func TestUnanswerableIsDropped(t *testing.T) {
	r := shippedResponder(t)
	for name, octets := range dropped {
		require.Nil(t, r.reply(wire(t, octets), overUDP, nil), name)
	}
}

func TestUnansweredQuestionsSayWhy(t *testing.T) {
	r := shippedResponder(t)
	edit := func(change func(m *dns.Msg)) *dns.Msg {
		m := question(7, "example.org.", dns.TypeA)
		change(m)
		return m
	}
	for name, c := range map[string]struct {
		query *dns.Msg
		rcode int
	}{
		"another zone":     {question(7, "example.com.", dns.TypeA), dns.RcodeRefused},
		"a zone above":     {question(7, "org.", dns.TypeNS), dns.RcodeRefused},
		"a similar name":   {question(7, "notexample.org.", dns.TypeA), dns.RcodeRefused},
		"another class":    {edit(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), dns.RcodeRefused},
		"any class":        {edit(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }), dns.RcodeRefused},
		"a transfer":       {edit(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAXFR }), dns.RcodeRefused},
		"any type":         {question(7, "example.org.", dns.TypeANY), dns.RcodeRefused},
		"part of one":      {edit(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeIXFR }), dns.RcodeRefused},
		"a notification":   {edit(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), dns.RcodeNotImplemented},
		"an update":        {new(dns.Msg).SetUpdate("example.org."), dns.RcodeNotImplemented},
		"opcode 15":        {edit(func(m *dns.Msg) { m.Opcode = 15 }), dns.RcodeNotImplemented},
		"EDNS version 1":   {edit(func(m *dns.Msg) { m.SetEdns0(1232, true).IsEdns0().SetVersion(1) }), dns.RcodeBadVers},
		"a plain question": {edit(func(*dns.Msg) {}), dns.RcodeSuccess},
	} {
		t.Run(name, func(t *testing.T) {
			m := r.ask(t, c.query, overUDP)
			require.Equal(t, dns.RcodeToString[c.rcode], dns.RcodeToString[m.Rcode])
			require.Equal(t, c.query.Id, m.Id)
			require.Equal(t, c.query.Opcode, m.Opcode)
			require.Equal(t, c.rcode == dns.RcodeSuccess, m.Authoritative)
			require.Equal(t, c.rcode == dns.RcodeSuccess, len(m.Answer) > 0)
		})
	}
}

func TestQuestionComesBackAsItWasAsked(t *testing.T) {
	query := question(7, "wWw.ExAmPlE.oRg.", dns.TypeA)
	query.CheckingDisabled = true
	m := shippedResponder(t).ask(t, query, overUDP)
	require.Equal(t, query.Question, m.Question)
	require.Equal(t, "wWw.ExAmPlE.oRg.", m.Answer[0].Header().Name)
	require.Equal(t, []bool{true, true, false}, []bool{m.RecursionDesired, m.CheckingDisabled, m.RecursionAvailable})
}

func TestOPTIsAnsweredWithOPT(t *testing.T) {
	r := shippedResponder(t)
	for _, name := range []string{"example.org.", "nope.example.org.", "example.com.", "x.dev.example.org."} {
		plain := r.ask(t, question(7, name, dns.TypeA), overUDP)
		require.Nil(t, plain.IsEdns0(), name)
		for _, do := range []bool{false, true} {
			m := r.ask(t, question(7, name, dns.TypeA).SetEdns0(4096, do), overUDP)
			opt := m.IsEdns0()
			require.NotNil(t, opt, name)
			require.Equal(t, uint16(maxUDP), opt.UDPSize())
			require.Equal(t, do, opt.Do())
			require.Zero(t, opt.Version())
		}
	}
}

func TestLargeAnswerIsTruncatedAtTheSizeOfTheClient(t *testing.T) {
	var text strings.Builder
	text.WriteString(soaLine)
	for i := range 100 {
		fmt.Fprintf(&text, "big.example.com. 60 TXT \"%0100d\"\n", i)
	}
	r := &responder{zone: mustZone(t, text.String())}
	for _, c := range []struct {
		edns  uint16 // 0: none
		limit int
	}{{0, 512}, {100, 512}, {512, 512}, {600, 600}, {1232, 1232}, {4096, maxUDP}, {65535, maxUDP}} {
		query := question(7, "big.example.com.", dns.TypeTXT)
		if c.edns > 0 {
			query.SetEdns0(c.edns, false)
		}
		reply := r.reply(packed(t, query), overUDP, nil)
		m, size := unpacked(t, reply), len(reply)
		require.True(t, m.Truncated)
		require.LessOrEqual(t, size, c.limit)
		require.Greater(t, size, c.limit-200, "room is left for another record")
		require.Equal(t, c.edns > 0, m.IsEdns0() != nil)
		m = r.ask(t, query, overTCP)
		require.False(t, m.Truncated)
		require.Len(t, m.Answer, 100)
	}
}

// The server reads a packet into the buffer that it packs the answer into.
func TestAnswerMayOverwriteTheQuery(t *testing.T) {
	r := shippedResponder(t)
	for _, e := range r.zone.book() {
		query := packed(t, e.query(2))
		buf := make([]byte, maxUDP)
		n := copy(buf, query)
		require.Equal(t, r.reply(query, overUDP, nil), r.reply(buf[:n], overUDP, buf))
	}
}

// FuzzReply checks what holds for any packet: no panic, an answer with the
// query's ID and opcode that is no larger than the client takes, and none to a
// response.
func FuzzReply(f *testing.F) {
	for _, octets := range malformed {
		f.Add(wire(f, octets))
	}
	for _, octets := range dropped {
		f.Add(wire(f, octets))
	}
	r := shippedResponder(f)
	for _, e := range r.zone.book() {
		f.Add(packed(f, e.query(1)))
		f.Add(packed(f, e.query(2)))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		reply := r.reply(packet, overUDP, nil)
		if len(packet) < headerSize || packet[2]&0x80 != 0 {
			require.Nil(t, reply)
			return
		}
		m := unpacked(t, reply)
		require.Equal(t, binary.BigEndian.Uint16(packet), m.Id)
		require.Equal(t, int(packet[2]>>3&0xf), m.Opcode)
		require.True(t, m.Response)
		require.LessOrEqual(t, len(reply), maxUDP)
	})
}
