package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// An expectation is a question and what the look-up says about it while nothing else runs.
type expectation struct {
	question dns.Question
	want     *dns.Msg
}

// check compares an answer with the expectation. The order of records does not
// matter.
func (e *expectation) check(m *dns.Msg) error {
	switch {
	case !m.Response || len(m.Question) != 1 || m.Question[0] != e.question:
		return fmt.Errorf("answers %v", m.Question)
	case m.Rcode != e.want.Rcode:
		return fmt.Errorf("rcode %s, want %s", dns.RcodeToString[m.Rcode], dns.RcodeToString[e.want.Rcode])
	case m.Authoritative != e.want.Authoritative:
		return fmt.Errorf("authoritative is %t", m.Authoritative)
	case !slices.Equal(lines(m.Answer), lines(e.want.Answer)):
		return fmt.Errorf("answer %v, want %v", m.Answer, e.want.Answer)
	case !slices.Equal(lines(m.Ns), lines(e.want.Ns)):
		return fmt.Errorf("authority %v, want %v", m.Ns, e.want.Ns)
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

// book returns questions about every name, with their answers: for each type that it
// has, one that it has not, its addresses, and a name below it.
func (z *zone) book() []*expectation {
	const madeUp = "made-up-label."
	list := []*expectation{z.expect("made-up-zone.invalid.", dns.TypeA)}
	asked := map[dns.Question]bool{}
	for _, rr := range z.records {
		h := rr.Header()
		name := strings.Replace(h.Name, "*.", madeUp, 1)
		for _, e := range []*expectation{
			z.expect(name, h.Rrtype), z.expect(name, dns.TypeLOC), z.expect(name, dns.TypeA), z.expect(madeUp+h.Name, dns.TypeA),
		} {
			if !asked[e.question] {
				asked[e.question] = true
				list = append(list, e)
			}
		}
	}
	return list
}

func (z *zone) expect(name string, qtype uint16) *expectation {
	question := dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}
	query := &dns.Msg{Question: []dns.Question{question}}
	return &expectation{question, (&responder{zone: z}).answer(query, dns.RcodeSuccess)}
}
