package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// An expectation is a question and what the zone file says about it.
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
	case !slices.Equal(lines(m.Answer), lines(e.answer)):
		return fmt.Errorf("answer %v, want %v", m.Answer, e.answer)
	case !slices.Equal(lines(m.Ns), lines(e.authority)):
		return fmt.Errorf("authority %v, want %v", m.Ns, e.authority)
	}
	return nil
}

func (e *expectation) String() string {
	return e.question.Name + " " + dns.Type(e.question.Qtype).String()
}

// lines gives the records as text with single blanks, sorted.
func lines(rrs []dns.RR) []string {
	list := []string{}
	for _, rr := range rrs {
		list = append(list, strings.Join(strings.Fields(rr.String()), " "))
	}
	slices.Sort(list)
	return list
}

// An oracle knows the answers too. It does not use the server's index, but reads the
// list of records from end to end. So a mistake in the index or in the walk through it
// cannot hide in a mistake of the check.
type oracle struct{ *zone }

// expectations returns questions about every name: for each type that it has, one that
// it has not, its addresses, and a name below it.
func (o oracle) expectations() []*expectation {
	const madeUp = "made-up-label."
	list := []*expectation{o.expect("made-up-zone.invalid.", dns.TypeA)}
	asked := map[dns.Question]bool{}
	for _, rr := range o.records {
		h := rr.Header()
		name := strings.Replace(h.Name, "*.", madeUp, 1)
		for _, e := range []*expectation{
			o.expect(name, h.Rrtype), o.expect(name, dns.TypeLOC), o.expect(name, dns.TypeA), o.expect(madeUp+h.Name, dns.TypeA),
		} {
			if !asked[e.question] {
				asked[e.question] = true
				list = append(list, e)
			}
		}
	}
	return list
}

func (o oracle) expect(name string, qtype uint16) *expectation {
	e := &expectation{question: dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}, authoritative: true}
	if !o.contains(name) {
		e.rcode, e.authoritative = dns.RcodeRefused, false
	}
	for range maxLinks {
		if name != "" && o.contains(name) {
			name = o.add(e, name, qtype)
		}
	}
	return e
}

// add adds what the records say about one name, and returns where an alias leads.
func (o oracle) add(e *expectation, name string, qtype uint16) string {
	if cut := o.cut(name); cut != "" {
		e.authoritative, e.authority = len(e.answer) > 0, o.set(cut, dns.TypeNS)
		return ""
	}
	source := o.source(name)
	set, alias := o.set(source, qtype), o.set(source, dns.TypeCNAME)
	switch {
	case len(set) > 0:
		e.answer = append(e.answer, renamed(set, name)...)
	case len(alias) > 0:
		e.answer = append(e.answer, renamed(alias, name)...)
		return alias[0].(*dns.CNAME).Target
	default:
		e.authority = o.denial
		if source == "" {
			e.rcode = dns.RcodeNameError
		}
	}
	return ""
}

// cut returns the highest delegation at or above the name.
func (o oracle) cut(name string) (cut string) {
	for above := range upwards(name) {
		if !strings.EqualFold(above, o.origin) && o.contains(above) && len(o.set(above, dns.TypeNS)) > 0 {
			cut = above
		}
	}
	return cut
}

// source returns the name whose records answer for the name: itself, a wildcard, or "".
func (o oracle) source(name string) string {
	for above := range upwards(name) {
		switch {
		case !o.exists(above):
		case above == name:
			return name
		case o.exists("*." + above):
			return "*." + above
		default:
			return ""
		}
	}
	return ""
}

func (o oracle) exists(name string) bool {
	return slices.ContainsFunc(o.records, func(rr dns.RR) bool { return dns.IsSubDomain(name, rr.Header().Name) })
}

func (o oracle) set(name string, qtype uint16) (set []dns.RR) {
	for _, rr := range o.records {
		if h := rr.Header(); h.Rrtype == qtype && strings.EqualFold(h.Name, name) {
			set = append(set, rr)
		}
	}
	return set
}
