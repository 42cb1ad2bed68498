package main

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

const (
	headerSize = 12
	typeSize   = 4 // a question's type and class

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
	if len(packet) < headerSize || isResponse(packet) {
		return nil
	}
	query := new(dns.Msg)
	rcode := examine(packet, query)
	answer := r.answer(query, rcode)
	fit(answer, sizeFor(query, over))
	out, err := answer.PackBuffer(buf)
	if err != nil {
		// The zone was packed once when it was loaded, so this is a message
		// that we put together wrongly.
		out, _ = new(dns.Msg).SetRcode(bare(query), dns.RcodeServerFailure).PackBuffer(buf)
	}
	return out
}

func isResponse(packet []byte) bool { return packet[2]&0x80 != 0 }

// examine unpacks the packet and returns the rcode that it deserves before
// anything is looked up.
func examine(packet []byte, query *dns.Msg) int {
	err := query.Unpack(packet) // the header is set even if this fails
	switch opt := query.IsEdns0(); {
	case query.Opcode != dns.OpcodeQuery:
		return dns.RcodeNotImplemented
	case err != nil || !complete(packet, query):
		return dns.RcodeFormatError
	case opt != nil && opt.Version() != 0:
		return dns.RcodeBadVers
	case query.Question[0].Qclass != dns.ClassINET:
		return dns.RcodeRefused
	case isTransfer(query.Question[0].Qtype):
		return dns.RcodeRefused
	}
	return dns.RcodeSuccess
}

// complete reports whether the packet has exactly one question, at most one OPT
// record, and everything else that its header says. The library unpacks as far
// as the octets go and takes what is missing for zero.
func complete(packet []byte, query *dns.Msg) bool {
	counts := [...]int{len(query.Question), len(query.Answer), len(query.Ns), len(query.Extra)}
	for i, n := range counts {
		if int(binary.BigEndian.Uint16(packet[4+2*i:])) != n {
			return false
		}
	}
	if len(query.Question) != 1 || countOPT(query.Extra) > 1 {
		return false
	}
	_, end, err := dns.UnpackDomainName(packet, headerSize)
	return err == nil && end+typeSize <= len(packet)
}

func countOPT(rrs []dns.RR) (n int) {
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeOPT {
			n++
		}
	}
	return n
}

func isTransfer(qtype uint16) bool {
	return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR
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

// fit makes the message fit into the size. Addresses that come with an answer
// are a courtesy and go first, without a trace; the TC bit is for what was asked
// for (RFC 2181, section 9). Those of a referral are needed, and stay.
func fit(m *dns.Msg, size int) {
	if len(m.Answer) > 0 && hasAddresses(m) && m.Len() > size {
		m.Compress = true
		if m.Len() > size {
			m.Extra = onlyOPT(m.Extra)
		}
	}
	m.Truncate(size)
}

// hasAddresses reports whether there is more than an OPT record, which is the
// last, in the additional section.
func hasAddresses(m *dns.Msg) bool {
	return len(m.Extra) > 0 && m.Extra[0].Header().Rrtype != dns.TypeOPT
}

func onlyOPT(rrs []dns.RR) []dns.RR {
	if last := rrs[len(rrs)-1]; last.Header().Rrtype == dns.TypeOPT {
		return []dns.RR{last}
	}
	return nil
}
