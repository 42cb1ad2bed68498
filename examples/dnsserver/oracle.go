package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// An expectation is a question and what the zone file says about it.
//
// Expectations do not come from the server's index. An oracle reads the list of records
// from end to end, and makes up only questions whose answer can be read off there. So a
// mistake in the look-up cannot hide in a mistake of the check.
type expectation struct {
	question      dns.Question
	rcode         int
	authoritative bool
	answer        []dns.RR
	authority     []dns.RR
}

// check compares an answer with the expectation. The order of records does not
// matter.
func (e *expectation) check(m *dns.Msg) error {
	switch {
	case !m.Response || len(m.Question) != 1 || m.Question[0] != e.question:
		return fmt.Errorf("answers %v", m.Question)
	case m.Rcode != e.rcode:
		return fmt.Errorf("rcode %s, want %s", dns.RcodeToString[m.Rcode], dns.RcodeToString[e.rcode])
	case m.Authoritative != e.authoritative:
		return fmt.Errorf("authoritative is %t", m.Authoritative)
	case !sameRecords(m.Answer, e.answer):
		return fmt.Errorf("answer %v, want %v", m.Answer, e.answer)
	case !sameRecords(m.Ns, e.authority):
		return fmt.Errorf("authority %v, want %v", m.Ns, e.authority)
	}
	return nil
}

func (e *expectation) String() string {
	return e.question.Name + " " + dns.Type(e.question.Qtype).String()
}

// sameRecords reports whether both hold the same records, with the same TTLs.
func sameRecords(a, b []dns.RR) bool {
	if len(a) != len(b) {
		return false
	}
	for _, rr := range a {
		if !slices.ContainsFunc(b, func(other dns.RR) bool { return sameRecord(rr, other) }) {
			return false
		}
	}
	return true
}

func sameRecord(a, b dns.RR) bool {
	return dns.IsDuplicate(a, b) && a.Header().Ttl == b.Header().Ttl
}

// An oracle makes up questions about a list of records.
type oracle struct {
	records []dns.RR
	origin  string
	denial  []dns.RR // what a negative answer carries
}

func newOracle(records []dns.RR) *oracle {
	o := &oracle{records: records}
	for _, rr := range records {
		if soa, ok := rr.(*dns.SOA); ok {
			o.origin = soa.Hdr.Name
			denial := dns.Copy(soa)
			denial.Header().Ttl = min(soa.Hdr.Ttl, soa.Minttl)
			o.denial = []dns.RR{denial}
		}
	}
	return o
}

// expectations returns a question for every set of records, every name and every kind
// of negative answer.
func (o *oracle) expectations() []*expectation {
	list := []*expectation{o.refused()}
	if len(o.named("*."+o.origin)) == 0 {
		list = append(list, o.unknown())
	}
	var seen []dns.Question
	for _, rr := range o.records {
		h := rr.Header()
		set := dns.Question{Name: strings.ToLower(h.Name), Qtype: h.Rrtype}
		if !slices.Contains(seen, set) {
			seen = append(seen, set)
			list = append(list, o.about(h)...)
		}
	}
	return list
}

// about returns the questions that the set of that record gives rise to.
func (o *oracle) about(h *dns.RR_Header) []*expectation {
	switch cut := o.cut(h.Name); {
	case cut == "":
	case h.Rrtype == dns.TypeNS && strings.EqualFold(cut, h.Name):
		return []*expectation{o.referral(h.Name)}
	default:
		return nil // glue is not asked for
	}
	name, isWildcard := strings.CutPrefix(h.Name, "*.")
	if isWildcard {
		name = "made-up-label." + name
	}
	list := []*expectation{o.positive(name, h)}
	if h.Rrtype == dns.TypeCNAME {
		return append(list, o.aliased(name, h)...)
	}
	return append(list, o.absent(name, h)...)
}

// positive asks for a set that is there.
func (o *oracle) positive(name string, h *dns.RR_Header) *expectation {
	e := o.expect(name, h.Rrtype)
	e.answer = renamed(o.set(h.Name, h.Rrtype), name)
	return e
}

// aliased asks for an address of an alias, if its chain ends at one in the zone.
func (o *oracle) aliased(name string, h *dns.RR_Header) []*expectation {
	e := o.expect(name, dns.TypeA)
	e.answer = renamed(o.set(h.Name, dns.TypeCNAME), name)
	for range o.records { // no chain is longer than the zone
		target := e.answer[len(e.answer)-1].(*dns.CNAME).Target
		if set := o.set(target, dns.TypeA); len(set) > 0 {
			e.answer = append(e.answer, set...)
			return []*expectation{e}
		}
		next := o.set(target, dns.TypeCNAME)
		if len(next) == 0 {
			return nil
		}
		e.answer = append(e.answer, next...)
	}
	return nil
}

// absent asks the name for a type that it does not have.
func (o *oracle) absent(name string, h *dns.RR_Header) []*expectation {
	if len(o.set(h.Name, dns.TypeLOC)) > 0 {
		return nil
	}
	e := o.expect(name, dns.TypeLOC)
	e.authority = o.denial
	return []*expectation{e}
}

func (o *oracle) unknown() *expectation {
	e := o.expect("made-up-label."+o.origin, dns.TypeA)
	e.rcode = dns.RcodeNameError
	e.authority = o.denial
	return e
}

func (o *oracle) refused() *expectation {
	e := o.expect("made-up-zone.invalid.", dns.TypeA)
	e.rcode = dns.RcodeRefused
	e.authoritative = false
	return e
}

func (o *oracle) referral(cut string) *expectation {
	e := o.expect("made-up-label."+cut, dns.TypeA)
	e.authoritative = false
	e.authority = o.set(cut, dns.TypeNS)
	return e
}

func (o *oracle) expect(name string, qtype uint16) *expectation {
	return &expectation{
		question:      dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET},
		authoritative: true,
	}
}

// cut returns the highest delegation at or above the name.
func (o *oracle) cut(name string) (cut string) {
	for _, rr := range o.records {
		h := rr.Header()
		isCut := h.Rrtype == dns.TypeNS && !strings.EqualFold(h.Name, o.origin)
		if isCut && dns.IsSubDomain(h.Name, name) && (cut == "" || len(h.Name) < len(cut)) {
			cut = h.Name
		}
	}
	return cut
}

func (o *oracle) named(name string) (all []dns.RR) {
	for _, rr := range o.records {
		if strings.EqualFold(rr.Header().Name, name) {
			all = append(all, rr)
		}
	}
	return all
}

func (o *oracle) set(name string, qtype uint16) (set []dns.RR) {
	for _, rr := range o.named(name) {
		known := slices.ContainsFunc(set, func(other dns.RR) bool { return dns.IsDuplicate(rr, other) })
		if rr.Header().Rrtype == qtype && !known {
			set = append(set, rr)
		}
	}
	return set
}

// renamed returns copies of the records under another name.
func renamed(set []dns.RR, name string) []dns.RR {
	copies := make([]dns.RR, len(set))
	for i, rr := range set {
		copies[i] = dns.Copy(rr)
		copies[i].Header().Name = name
	}
	return copies
}
