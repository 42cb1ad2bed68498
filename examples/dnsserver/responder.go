package main

import "github.com/miekg/dns"

const (
	headerSize = 12

	// maxUDP is the largest message sent or read over UDP, and the size that each side
	// is told: that passes through nearly every network unfragmented (RFC 9715 has the
	// reasons). A client that says that it takes more gets no more: an attacker that
	// forges its address could have it sent ninety times what the query costs.
	maxUDP = 1232
)

// A transport says how large an answer may get.
type transport int

const (
	overUDP transport = iota
	overTCP
)

// A responder turns the octets of a query into those of its answer. It has no
// state of its own: any number of tasks may use it at once.
type responder struct {
	zone    *zone
	backend backend
}

// reply returns the answer to a packet, packed into buf if it fits there, or nil
// if the packet deserves none. The buffer may be the one that the packet is in:
// by the time the answer is packed, nothing refers to the packet.
//
// A packet too short for a header has no ID, and cannot be answered. An answer must not
// be answered, or two servers could keep each other busy.
func (r *responder) reply(packet []byte, over transport, buf []byte) []byte {
	isResponse := func() bool { return packet[2]&0x80 != 0 }
	if len(packet) < headerSize || isResponse() {
		return nil
	}
	query := new(dns.Msg)
	rcode := examine(packet, query)
	m := r.answer(query, rcode)
	m.Truncate(sizeFor(query, over))
	out, err := m.PackBuffer(buf)
	if err != nil { // a record of the zone cannot be sent
		out, _ = new(dns.Msg).SetRcode(bare(query), dns.RcodeServerFailure).PackBuffer(buf)
	}
	return out
}

// examine unpacks the packet and returns the rcode that it deserves before
// anything is looked up.
func examine(packet []byte, query *dns.Msg) int {
	err := query.Unpack(packet) // the header is set even if this fails
	switch opt := query.IsEdns0(); {
	case query.Opcode != dns.OpcodeQuery:
		return dns.RcodeNotImplemented
	case err != nil || len(query.Question) != 1:
		return dns.RcodeFormatError
	case opt != nil && opt.Version() != 0:
		return dns.RcodeBadVers
	case query.Question[0].Qclass != dns.ClassINET:
		return dns.RcodeRefused
	}
	switch query.Question[0].Qtype {
	case dns.TypeAXFR, dns.TypeIXFR, dns.TypeANY:
		return dns.RcodeRefused
	}
	return dns.RcodeSuccess
}

// answer makes the message that answers the query. rcode is what examine gave it.
func (r *responder) answer(query *dns.Msg, rcode int) *dns.Msg {
	if rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented {
		return new(dns.Msg).SetRcode(bare(query), rcode)
	}
	m := new(dns.Msg).SetRcode(query, rcode)
	if rcode == dns.RcodeSuccess {
		if r.zone.contains(m.Question[0].Name) {
			r.backend.call()
			r.zone.answer(m)
		} else {
			m.Rcode = dns.RcodeRefused
		}
	}
	if opt := query.IsEdns0(); opt != nil {
		m.SetEdns0(maxUDP, opt.Do())
	}
	return m
}

// bare returns the header of a query whose sections cannot be trusted, or, with
// an opcode that we do not know, may mean anything.
func bare(query *dns.Msg) *dns.Msg { return &dns.Msg{MsgHdr: query.MsgHdr} }

// sizeFor returns the size in octets that the client can take.
func sizeFor(query *dns.Msg, over transport) int {
	if over == overTCP {
		return dns.MaxMsgSize
	}
	if opt := query.IsEdns0(); opt != nil {
		return min(max(int(opt.UDPSize()), dns.MinMsgSize), maxUDP)
	}
	return dns.MinMsgSize
}
