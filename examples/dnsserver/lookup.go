package main

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// maxLinks bounds the aliases followed for one query. A resolver goes on from
// the last of them by itself.
const maxLinks = 16

// anyTTL is how long, in seconds, the answer to a query of type ANY may be cached.
const anyTTL = 3600

// answer fills in what the zone says about the question of m, which must lie in
// the zone: the algorithm of RFC 1034, section 4.3.2, with the wildcards of RFC
// 4592. The rcode is that of the last name of a chain of aliases (RFC 6604).
func (z *zone) answer(m *dns.Msg) {
	m.Authoritative = true
	name, qtype := m.Question[0].Name, m.Question[0].Qtype
	for range maxLinks {
		name = z.answerName(m, name, qtype)
		if name == "" || !z.contains(name) || answered(m, name) {
			return
		}
	}
}

// answered reports whether m has a record of that name already, which means
// that a chain of aliases bites its tail.
func answered(m *dns.Msg, name string) bool {
	return slices.ContainsFunc(m.Answer, func(rr dns.RR) bool {
		return strings.EqualFold(rr.Header().Name, name)
	})
}

// answerName adds what the zone says about one name, and returns the name that
// the question goes on with if that one is an alias.
func (z *zone) answerName(m *dns.Msg, name string, qtype uint16) string {
	at := z.find(dns.CanonicalName(name))
	switch {
	case at.cut != "" && !(at.cut == at.name && qtype == dns.TypeDS):
		z.refer(m, at.cut)
	case at.node == nil:
		m.Rcode = dns.RcodeNameError
		m.Ns = z.denial
	default:
		return z.answerNode(m, at.node, name, qtype)
	}
	return ""
}

// answerNode adds the records of a node under the name that was asked for.
func (z *zone) answerNode(m *dns.Msg, n *node, name string, qtype uint16) string {
	set, alias := n.sets[qtype], n.sets[dns.TypeCNAME]
	switch {
	case len(set) > 0:
		m.Answer = append(m.Answer, named(set, name)...)
		z.addAddresses(m, set)
	case len(alias) > 0:
		m.Answer = append(m.Answer, named(alias, name)...)
		if qtype != dns.TypeANY {
			return alias[0].(*dns.CNAME).Target
		}
	case qtype == dns.TypeANY && len(n.sets) > 0:
		m.Answer = append(m.Answer, minimalAny(name))
	default:
		m.Ns = z.denial
	}
	return ""
}

// minimalAny is the whole answer to a query of type ANY (RFC 8482, section 4.2). All
// records of a name would be a large answer to a small query, which helps an attacker
// that forges its sender.
func minimalAny(name string) dns.RR {
	return &dns.HINFO{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeHINFO, Class: dns.ClassINET, Ttl: anyTTL},
		Cpu: "RFC8482",
	}
}

// A place is where a name lies in the zone.
type place struct {
	name string // canonical
	node *node  // what answers for the name: its own node or a wildcard; nil if it does not exist
	cut  string // the highest delegation at or above the name; empty if there is none
}

// find walks from the name up to the origin. The first node it meets is the
// closest encloser; only a wildcard right below that one may stand in for a name
// that does not exist (RFC 4592, section 3.3). The walk goes on to the origin
// because the highest delegation is the one that counts.
func (z *zone) find(name string) place {
	at := place{name: name}
	var encloser *node
	for above := range upwards(name) {
		n := z.nodes[above]
		if n != nil && encloser == nil {
			encloser = n
			at.node = n
			if above != name {
				at.node = n.wildcard
			}
		}
		if n != nil && n.cut {
			at.cut = above
		}
		if above == z.origin {
			break
		}
	}
	return at
}

// refer sends the client to the servers of a delegated part. What the zone says
// about that part is not authoritative, unless an alias led there: the AA bit is
// about the first name of an answer.
func (z *zone) refer(m *dns.Msg, cut string) {
	m.Authoritative = len(m.Answer) > 0
	m.Ns = z.nodes[cut].sets[dns.TypeNS]
	z.addAddresses(m, m.Ns)
}

// addAddresses adds the addresses of the hosts that the records name, as far as
// the zone has them, to the additional section.
func (z *zone) addAddresses(m *dns.Msg, set []dns.RR) {
	for _, rr := range set {
		name := host(rr)
		if name == "" {
			return // records of this type name no host
		}
		n := z.nodes[dns.CanonicalName(name)]
		if n == nil {
			continue
		}
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			addresses := n.sets[qtype]
			// Two records may name one host.
			if len(addresses) > 0 && !slices.Contains(m.Extra, addresses[0]) {
				m.Extra = append(m.Extra, addresses...)
			}
		}
	}
}

// host returns the host that the record names, or "".
func host(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.MX:
		return rr.Mx
	case *dns.NS:
		return rr.Ns
	case *dns.SRV:
		return rr.Target
	}
	return ""
}

// named returns the set under the name as it was asked for: with the case of
// the query, and with the query's name instead of a wildcard's. The records of
// the zone are shared, so they are copied unless they fit as they are.
func named(set []dns.RR, name string) []dns.RR {
	if set[0].Header().Name == name {
		return set
	}
	copies := make([]dns.RR, len(set))
	for i, rr := range set {
		copies[i] = dns.Copy(rr)
		copies[i].Header().Name = name
	}
	return copies
}
