package main

import (
	"slices"

	"github.com/miekg/dns"
)

// maxLinks bounds the aliases followed for one query. A resolver goes on from
// the last of them by itself.
const maxLinks = 8

// answer fills in what the zone says about the question of m, which must lie in
// the zone: the algorithm of RFC 1034, section 4.3.2, with the wildcards of RFC
// 4592. The rcode is that of the last name of a chain of aliases (RFC 6604).
func (z *zone) answer(m *dns.Msg) {
	m.Authoritative = true
	name := m.Question[0].Name
	for range maxLinks {
		name = z.answerName(m, name, m.Question[0].Qtype)
		if name == "" || !z.contains(name) {
			return
		}
	}
}

// answerName adds what the zone says about one name, and returns the name that
// the question goes on with if that one is an alias.
func (z *zone) answerName(m *dns.Msg, name string, qtype uint16) string {
	sets, cut := z.find(dns.CanonicalName(name))
	set, alias := sets[qtype], sets[dns.TypeCNAME]
	switch {
	case cut != "":
		// What the zone says about a delegated part is not authoritative, unless an alias
		// led there: the AA bit is about the first name of an answer.
		m.Authoritative = len(m.Answer) > 0
		m.Ns = z.names[cut][dns.TypeNS]
		z.addAddresses(m, m.Ns)
	case len(set) > 0:
		m.Answer = append(m.Answer, renamed(set, name)...)
		z.addAddresses(m, set)
	case len(alias) > 0:
		m.Answer = append(m.Answer, renamed(alias, name)...)
		return alias[0].(*dns.CNAME).Target
	default:
		m.Ns = z.denial
		if sets == nil {
			m.Rcode = dns.RcodeNameError
		}
	}
	return ""
}

// find returns the records that answer for the name, those of a wildcard perhaps, or nil
// if the name does not exist, and the highest delegation at or above it, or "".
//
// It walks from the name up to the origin. The first name that exists is the closest
// encloser; only a wildcard right below that one may stand in for a name that does not
// exist (RFC 4592, section 3.3).
func (z *zone) find(name string) (sets map[uint16][]dns.RR, cut string) {
	enclosed := false
	for above := range upwards(name) {
		here, exists := z.names[above]
		if exists && !enclosed {
			enclosed = true
			if sets = here; above != name {
				sets = z.names["*."+above]
			}
		}
		if above == z.origin {
			break
		}
		if len(here[dns.TypeNS]) > 0 {
			cut = above
		}
	}
	return sets, cut
}

// addAddresses adds the addresses of the hosts that the records name, as far as
// the zone has them, to the additional section.
func (z *zone) addAddresses(m *dns.Msg, set []dns.RR) {
	for _, rr := range set {
		name := ""
		switch rr := rr.(type) {
		case *dns.MX:
			name = rr.Mx
		case *dns.NS:
			name = rr.Ns
		case *dns.SRV:
			name = rr.Target
		}
		host := z.names[dns.CanonicalName(name)]
		for _, addresses := range [][]dns.RR{host[dns.TypeA], host[dns.TypeAAAA]} {
			// Two records may name one host.
			if len(addresses) > 0 && !slices.Contains(m.Extra, addresses[0]) {
				m.Extra = append(m.Extra, addresses...)
			}
		}
	}
}

// renamed returns the set under the name as it was asked for: with the case of
// the query, and with the query's name instead of a wildcard's. The records of
// the zone are shared, so they are copied unless they fit as they are.
func renamed(set []dns.RR, name string) []dns.RR {
	if len(set) == 0 || set[0].Header().Name == name {
		return set
	}
	copies := make([]dns.RR, len(set))
	for i, rr := range set {
		copies[i] = dns.Copy(rr)
		copies[i].Header().Name = name
	}
	return copies
}
