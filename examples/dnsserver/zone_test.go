package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

const soaLine = "example.com. 3600 IN SOA ns.example.com. hostmaster.example.com. 1 7200 3600 1209600 600\n"

func TestZoneFaultIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"no SOA":              {"www.example.com. 60 IN A 192.0.2.1\n", []string{"bad.zone", "0 SOA"}},
		"two SOAs":            {soaLine + "sub." + soaLine, []string{"2 SOA"}},
		"syntax":              {soaLine + "www.example.com. 60 IN A 192.0.2.1.5\n", []string{"bad.zone", "192.0.2.1.5", "line: 2"}},
		"relative, no origin": {"www 60 IN A 192.0.2.1\n", []string{"bad.zone", "line: 1"}},
		"outside":             {soaLine + "www.example.net. 60 IN A 192.0.2.1\n", []string{"example.com.", "www.example.net.", "outside"}},
		"other class":         {soaLine + "www.example.com. 60 CH TXT x\n", []string{"www.example.com.", "CH"}},
		"CNAME and A":         {soaLine + "www.example.com. 60 CNAME a.\nwww.example.com. 60 A 192.0.2.1\n", []string{"www.example.com.", "CNAME and other records"}},
		"CNAME twice":         {soaLine + "www.example.com. 60 CNAME a.\nwww.example.com. 60 CNAME b.\n", []string{"www.example.com.", "CNAME"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bad.zone")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			_, err := loadZone(file)
			require.Error(t, err)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestRecordGivenTwiceIsHeldOnce(t *testing.T) {
	z := mustZone(t, soaLine+"www.example.com. 60 A 192.0.2.1\nWWW.example.com. 60 A 192.0.2.1\n")
	require.Len(t, z.names["www.example.com."][dns.TypeA], 1)
}

// Invariant of zone.names.
func TestNameExistsWithAllNamesAboveIt(t *testing.T) {
	z := mustZone(t, soaLine+"a.b.c.example.com. 60 A 192.0.2.1\n")
	require.ElementsMatch(t, []string{"a.b.c.example.com.", "b.c.example.com.", "c.example.com.", "example.com."},
		slices.Collect(maps.Keys(z.names)))
}

func TestShippedZoneUsesReservedNamesAndAddressesOnly(t *testing.T) {
	reserved := regexp.MustCompile(`\t(A\t(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+|AAAA\t2001:db8:.*)$`) // RFC 5737 and RFC 3849
	for _, rr := range shippedResponder(t).zone.records {
		require.True(t, dns.IsSubDomain("example.org.", rr.Header().Name), rr)
		if qtype := rr.Header().Rrtype; qtype == dns.TypeA || qtype == dns.TypeAAAA {
			require.Regexp(t, reserved, rr.String())
		}
	}
}
