package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Another implementation than the library that the server is built on has to
// understand its answers too.
func TestDigUnderstandsTheAnswers(t *testing.T) {
	dig, err := exec.LookPath("dig")
	if err != nil {
		t.Skip("dig is not installed (Debian has it in bind9-dnsutils)")
	}
	addr := startServer(t, loopback(poolRunner)).addr()
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"www.example.org A", []string{"NOERROR", "qr aa", "web.example.org.", "192.0.2.83"}},
		{"www.example.org AAAA +tcp", []string{"NOERROR", "qr aa", "2001:db8:80::81", "(TCP)"}},
		{"example.org MX", []string{"10 mx1.example.org.", "198.51.100.25", "203.0.113.25", "EDNS: version: 0"}},
		{"_dmarc.example.org TXT +noedns", []string{`"v=DMARC1;`, "(UDP)"}},
		{"any-customer.apps.example.org A", []string{"any-customer.apps.example.org.", "203.0.113.99"}},
		{"status.apps.example.org A", []string{"edge.example.org.", "203.0.113.40"}},
		{"nope.example.org A", []string{"NXDOMAIN", "qr aa", "SOA", "ANSWER: 0"}},
		{"berlin.example.org A", []string{"NOERROR", "SOA", "ANSWER: 0"}},
		{"www.dev.example.org A", []string{"NOERROR", "qr;", "ns1.dev.example.org.", "192.0.2.153"}},
		{"www.example.com A", []string{"REFUSED"}},
		{"example.org ANY +notcp", []string{"REFUSED"}},
		{"mail._domainkey.example.org TXT +noedns +ignore", []string{"qr aa tc", "ANSWER: 0"}},
		{"mail._domainkey.example.org TXT +noedns", []string{"Truncated, retrying in TCP mode", "DKIM1", "(TCP)"}},
		{"mail._domainkey.example.org TXT +bufsize=1232", []string{"DKIM1", "(UDP)"}},
	} {
		args := append([]string{"@127.0.0.1", "-p", port(addr.String()), "+norecurse"}, strings.Fields(c.query)...)
		out, err := exec.Command(dig, args...).CombinedOutput()
		require.NoError(t, err, "%s\n%s", c.query, out)
		for _, part := range c.want {
			require.Contains(t, string(out), part, c.query)
		}
	}
}

func port(addr string) string { return addr[strings.LastIndex(addr, ":")+1:] }
