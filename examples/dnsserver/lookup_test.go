package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

const testZone = `
$ORIGIN example.com.
$TTL 1h
@        SOA   ns hostmaster 1 7200 3600 1209600 600
@        NS    ns
@        MX    10 mail
@        MX    20 mail
@        MX    30 mx.example.net.
@        TXT   "apex"
ns       A     192.0.2.1
         AAAA  2001:db8::1
mail     A     192.0.2.2
Mixed    A     192.0.2.3
_sip._tcp SRV  0 0 5060 mail
*        TXT   "any"
sub      DS    1 13 2 0000000000000000000000000000000000000000000000000000000000000000
sub      NS    ns.sub
sub      NS    ns.example.net.
ns.sub   A     192.0.2.4
deep.sub NS    ns.deep.sub
alias    CNAME mail
chain    CNAME alias
out      CNAME www.example.net.
gone     CNAME x.empty
tosub    CNAME www.sub
loop1    CNAME loop2
loop2    CNAME loop1
self     CNAME self
*.many   CNAME mail
x.y.empty A    192.0.2.5
`

const testSOA = "example.com. 600 IN SOA ns.example.com. hostmaster.example.com. 1 7200 3600 1209600 600"

var (
	subNS = []string{
		"sub.example.com. 3600 IN NS ns.sub.example.com.",
		"sub.example.com. 3600 IN NS ns.example.net.",
	}
	subGlue = []string{"ns.sub.example.com. 3600 IN A 192.0.2.4"}
)

type lookupCase struct {
	question          string
	rcode             int
	notAuthoritative  bool
	answer, ns, extra []string
}

// plainLookups are about names that are no aliases.
var plainLookups = map[string]lookupCase{
	"a record": {question: "mail A", answer: []string{"mail.example.com. 3600 IN A 192.0.2.2"}},
	"the origin itself": {
		question: "@ TXT",
		answer:   []string{`example.com. 3600 IN TXT "apex"`},
	},
	"the case of the query is kept": {
		question: "mIXED A",
		answer:   []string{"mIXED.example.com. 3600 IN A 192.0.2.3"},
	},
	"addresses of hosts that are named, each once": {
		question: "@ MX",
		answer: []string{
			"example.com. 3600 IN MX 10 mail.example.com.",
			"example.com. 3600 IN MX 20 mail.example.com.",
			"example.com. 3600 IN MX 30 mx.example.net.",
		},
		extra: []string{"mail.example.com. 3600 IN A 192.0.2.2"},
	},
	"both families of addresses": {
		question: "@ NS",
		answer:   []string{"example.com. 3600 IN NS ns.example.com."},
		extra: []string{
			"ns.example.com. 3600 IN A 192.0.2.1",
			"ns.example.com. 3600 IN AAAA 2001:db8::1",
		},
	},
	"a service": {
		question: "_sip._tcp SRV",
		answer:   []string{"_sip._tcp.example.com. 3600 IN SRV 0 0 5060 mail.example.com."},
		extra:    []string{"mail.example.com. 3600 IN A 192.0.2.2"},
	},
	"no such type":            {question: "mail AAAA", ns: []string{testSOA}},
	"an empty non-terminal":   {question: "y.empty A", ns: []string{testSOA}},
	"any of an empty name":    {question: "y.empty ANY", ns: []string{testSOA}},
	"below an existing name":  {question: "x.mail A", rcode: dns.RcodeNameError, ns: []string{testSOA}},
	"beside an existing name": {question: "z.empty A", rcode: dns.RcodeNameError, ns: []string{testSOA}},
	"any is minimal": {
		question: "@ ANY",
		answer:   []string{`example.com. 3600 IN HINFO "RFC8482" ""`},
	},
	"any of an alias": {
		question: "alias ANY",
		answer:   []string{"alias.example.com. 3600 IN CNAME mail.example.com."},
	},
}

func TestZoneAnswers(t *testing.T) {
	checkLookups(t, mustZone(t, testZone), plainLookups)
}

// aliasLookups are about names that are.
var aliasLookups = map[string]lookupCase{
	"the alias itself": {
		question: "alias CNAME",
		answer:   []string{"alias.example.com. 3600 IN CNAME mail.example.com."},
	},
	"two links": {
		question: "chain A",
		answer: []string{
			"chain.example.com. 3600 IN CNAME alias.example.com.",
			"alias.example.com. 3600 IN CNAME mail.example.com.",
			"mail.example.com. 3600 IN A 192.0.2.2",
		},
	},
	"no such type at the end": {
		question: "alias AAAA",
		answer:   []string{"alias.example.com. 3600 IN CNAME mail.example.com."},
		ns:       []string{testSOA},
	},
	"no such name at the end": {
		question: "gone A",
		rcode:    dns.RcodeNameError,
		answer:   []string{"gone.example.com. 3600 IN CNAME x.empty.example.com."},
		ns:       []string{testSOA},
	},
	"out of the zone": {
		question: "out A",
		answer:   []string{"out.example.com. 3600 IN CNAME www.example.net."},
	},
	"into a delegation": {
		question: "tosub A",
		answer:   []string{"tosub.example.com. 3600 IN CNAME www.sub.example.com."},
		ns:       subNS,
		extra:    subGlue,
	},
	"from a wildcard": {
		question: "X.many A",
		answer: []string{
			"X.many.example.com. 3600 IN CNAME mail.example.com.",
			"mail.example.com. 3600 IN A 192.0.2.2",
		},
	},
	"a loop": {
		question: "Loop1 A",
		answer: []string{
			"Loop1.example.com. 3600 IN CNAME loop2.example.com.",
			"loop2.example.com. 3600 IN CNAME loop1.example.com.",
		},
	},
	"a loop of one": {
		question: "self A",
		answer:   []string{"self.example.com. 3600 IN CNAME self.example.com."},
	},
}

func TestAliasesAreFollowedInsideTheZone(t *testing.T) {
	checkLookups(t, mustZone(t, testZone), aliasLookups)
}

func TestDelegationsAreReferredTo(t *testing.T) {
	referral := func(question string) lookupCase {
		return lookupCase{question: question, notAuthoritative: true, ns: subNS, extra: subGlue}
	}
	checkLookups(t, mustZone(t, testZone), map[string]lookupCase{
		"the cut":                   referral("sub A"),
		"its servers":               referral("sub NS"),
		"its glue":                  referral("ns.sub A"),
		"below it":                  referral("a.b.sub TXT"),
		"the highest of two":        referral("www.deep.sub A"),
		"a key below the cut":       referral("x.sub DS"),
		"the key belongs above it":  {question: "sub DS", answer: []string{"sub.example.com. 3600 IN DS 1 13 2 " + strings.Repeat("0", 64)}},
		"a wildcard does not reach": referral("nope.sub TXT"),
	})
}

// The example of RFC 4592, section 2.2.1, and what it says about it.
func TestWildcardsAnswerAsInRFC4592(t *testing.T) {
	const soa = "example. 60 IN SOA ns.example.com. host.example.com. 1 2 3 4 60"
	z := mustZone(t, `
$ORIGIN example.
$TTL 3600
@                SOA  ns.example.com. host.example.com. 1 2 3 4 60
@                NS   ns.example.com.
@                NS   ns.example.net.
*                TXT  "this is a wildcard"
*                MX   10 host1
sub.*            TXT  "this is not a wildcard"
host1            A    192.0.2.1
_ssh._tcp.host1  SRV  0 0 22 host1
_ssh._tcp.host2  SRV  0 0 22 host1
subdel           NS   ns.example.com.
subdel           NS   ns.example.net.
`)
	address := []string{"host1.example. 3600 IN A 192.0.2.1"}
	none := []string{soa}
	checkLookups(t, z, map[string]lookupCase{
		"synthesised":               {question: "host3 MX", answer: []string{"host3.example. 3600 IN MX 10 host1.example."}, extra: address},
		"no data":                   {question: "host3 A", ns: none},
		"several labels":            {question: "foo.bar TXT", answer: []string{`foo.bar.example. 3600 IN TXT "this is a wildcard"`}},
		"the name exists":           {question: "host1 MX", ns: none},
		"the name exists, starred":  {question: "sub.* MX", ns: none},
		"a name above it exists":    {question: "_telnet._tcp.host1 SRV", rcode: dns.RcodeNameError, ns: none},
		"no wildcard at a wildcard": {question: "ghost.* MX", rcode: dns.RcodeNameError, ns: none},
		"the wildcard by name":      {question: "* TXT", answer: []string{`*.example. 3600 IN TXT "this is a wildcard"`}},
		"an empty non-terminal":     {question: "host2 TXT", ns: none},
		"a delegation": {question: "host.subdel A", notAuthoritative: true, ns: []string{
			"subdel.example. 3600 IN NS ns.example.com.",
			"subdel.example. 3600 IN NS ns.example.net.",
		}},
	})
}

// checkLookups asks the zone; questions are relative to its origin.
func checkLookups(t *testing.T, z *zone, cases map[string]lookupCase) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			m := ask(z, c.question)
			require.Equal(t, dns.RcodeToString[c.rcode], dns.RcodeToString[m.Rcode])
			require.Equal(t, !c.notAuthoritative, m.Authoritative)
			require.Equal(t, append([]string{}, c.answer...), lines(m.Answer), "answer")
			require.Equal(t, append([]string{}, c.ns...), lines(m.Ns), "authority")
			require.Equal(t, append([]string{}, c.extra...), lines(m.Extra), "additional")
		})
	}
}

func ask(z *zone, question string) *dns.Msg {
	name, qtype, _ := strings.Cut(question, " ")
	if name == "@" {
		name = z.origin
	} else {
		name += "." + z.origin
	}
	m := new(dns.Msg).SetQuestion(name, dns.StringToType[qtype])
	z.answer(m)
	return m
}

func TestChainOfAliasesIsBounded(t *testing.T) {
	var text strings.Builder
	text.WriteString(soaLine + "$ORIGIN example.com.\n$TTL 60\n")
	for i := range 2 * maxLinks {
		fmt.Fprintf(&text, "c%d CNAME c%d\n", i, i+1)
	}
	m := ask(mustZone(t, text.String()), "c0 A")
	require.Len(t, m.Answer, maxLinks)
	require.Equal(t, dns.RcodeSuccess, m.Rcode)
}

func TestNegativeAnswerIsCachedForTheShorterTTL(t *testing.T) {
	for _, c := range []struct{ soa, minimum, want uint32 }{{3600, 600, 600}, {60, 600, 60}} {
		z := mustZone(t, fmt.Sprintf("example.com. %d IN SOA ns. host. 1 2 3 4 %d\n", c.soa, c.minimum))
		require.Equal(t, c.want, ask(z, "nope A").Ns[0].Header().Ttl)
		require.Equal(t, c.soa, ask(z, "@ SOA").Answer[0].Header().Ttl)
	}
}

func TestRootZoneIsServed(t *testing.T) {
	z := mustZone(t, ". 60 IN SOA ns. host. 1 2 3 4 60\ncom. 60 IN NS ns.com.\nns.com. 60 IN A 192.0.2.1\n")
	m := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA)
	z.answer(m)
	require.Equal(t, []string{"com. 60 IN NS ns.com."}, lines(m.Ns))
	m = new(dns.Msg).SetQuestion("nope.", dns.TypeA)
	z.answer(m)
	require.Equal(t, dns.RcodeNameError, m.Rcode)
}

// Answers share the records of the zone, so nothing may change them.
func TestAnswersLeaveTheZoneAsItIs(t *testing.T) {
	records := shippedRecords(t)
	z, err := newZone(records)
	require.NoError(t, err)
	before := lines(records)
	r := responder{zone: z}
	for _, e := range newOracle(records).expectations() {
		for _, over := range []transport{overUDP, overTCP} {
			require.NotNil(t, r.reply(packed(t, e.query(1)), over, nil))
		}
	}
	require.Equal(t, before, lines(records))
}
