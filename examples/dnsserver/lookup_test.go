package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// The questions are relative to the origin of the zone. Each stands in the file with what
// it is about, and above the answer.
func TestZoneAnswersAsTheFileSays(t *testing.T) {
	for _, name := range []string{"testdata/example.com", "testdata/rfc4592"} {
		z, err := loadZone(name + ".zone")
		require.NoError(t, err)
		before := lines(z.records)
		text, err := os.ReadFile(name + ".answers")
		require.NoError(t, err)
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			head, want, _ := strings.Cut(block, "\n")
			about, question, _ := strings.Cut(head, ": ")
			t.Run(about, func(t *testing.T) { require.Equal(t, want, asText(ask(z, question))) })
		}
		require.Equal(t, before, lines(z.records), "answers share the records of the zone, so nothing may change them")
	}
}

func ask(z *zone, question string) *dns.Msg {
	name, qtype, _ := strings.Cut(question, " ")
	name, _ = strings.CutPrefix(name+"."+z.origin, "@.")
	m := new(dns.Msg).SetQuestion(name, dns.StringToType[qtype])
	z.answer(m)
	return m
}

func asText(m *dns.Msg) string {
	text := dns.RcodeToString[m.Rcode]
	if m.Authoritative {
		text += " aa"
	}
	for _, section := range []struct {
		name string
		rrs  []dns.RR
	}{{"answer", m.Answer}, {"authority", m.Ns}, {"additional", m.Extra}} {
		for _, rr := range section.rrs {
			text += "\n" + section.name + " " + strings.Join(strings.Fields(rr.String()), " ")
		}
	}
	return text
}

func TestChainOfAliasesIsBounded(t *testing.T) {
	z := mustZone(t, soaLine+"a.example.com. 60 CNAME b.example.com.\nb.example.com. 60 CNAME a.example.com.\n")
	require.Len(t, ask(z, "a A").Answer, maxLinks)
}

func TestNegativeAnswerIsCachedForTheShorterTTL(t *testing.T) {
	for _, c := range []struct{ soa, minimum, want uint32 }{{3600, 600, 600}, {60, 600, 60}} {
		z := mustZone(t, fmt.Sprintf("example.com. %d IN SOA ns. host. 1 2 3 4 %d\n", c.soa, c.minimum))
		require.Equal(t, c.want, ask(z, "nope A").Ns[0].Header().Ttl)
		require.Equal(t, c.soa, ask(z, "@ SOA").Answer[0].Header().Ttl)
	}
}
