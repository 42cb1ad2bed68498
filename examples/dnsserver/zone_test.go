package main

import (
	"net/netip"
	"os"
	"path/filepath"
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
		"no SOA":              {"www.example.com. 60 IN A 192.0.2.1\n", []string{"no SOA"}},
		"empty file":          {"", []string{"no SOA"}},
		"two SOAs":            {soaLine + "sub." + soaLine, []string{"example.com.", "second SOA at sub.example.com."}},
		"syntax":              {soaLine + "www.example.com. 60 IN A 192.0.2.1.5\n", []string{"bad.zone", "192.0.2.1.5", "line: 2"}},
		"relative, no origin": {"www 60 IN A 192.0.2.1\n", []string{"bad.zone", "line: 1"}},
		"outside":             {soaLine + "www.example.net. 60 IN A 192.0.2.1\n", []string{"example.com.", "www.example.net. A", "outside"}},
		"other class":         {soaLine + "www.example.com. 60 CH TXT x\n", []string{"www.example.com. TXT", "CH"}},
		"CNAME and A":         {soaLine + "www.example.com. 60 CNAME a.\nwww.example.com. 60 A 192.0.2.1\n", []string{"www.example.com.", "CNAME and other records"}},
		"CNAME twice":         {soaLine + "www.example.com. 60 CNAME a.\nwww.example.com. 60 CNAME b.\n", []string{"www.example.com.", "CNAME"}},
		"missing include":     {soaLine + "$INCLUDE not-there.zone\n", []string{"not-there.zone"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "bad.zone")
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			records, err := loadRecords(file)
			if err == nil {
				_, err = newZone(records)
			}
			require.Error(t, err)
			for _, part := range c.want {
				require.ErrorContains(t, err, part)
			}
		})
	}
}

func TestMissingZoneFileIsNamed(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.zone")
	_, err := loadRecords(missing)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
}

func TestIncludedFileIsRead(t *testing.T) {
	dir := t.TempDir()
	main, part := filepath.Join(dir, "main.zone"), filepath.Join(dir, "part.zone")
	require.NoError(t, os.WriteFile(main, []byte(soaLine+"$ORIGIN example.com.\n$INCLUDE part.zone\n"), 0o600))
	require.NoError(t, os.WriteFile(part, []byte("www 60 IN A 192.0.2.1\n"), 0o600))
	records, err := loadRecords(main)
	require.NoError(t, err)
	require.Len(t, records, 2)
}

func TestRecordGivenTwiceIsHeldOnce(t *testing.T) {
	z := mustZone(t, soaLine+"www.example.com. 60 A 192.0.2.1\nWWW.example.com. 60 A 192.0.2.1\n")
	require.Len(t, z.nodes["www.example.com."].sets[dns.TypeA], 1)
}

// Invariant of zone.nodes.
func TestNameExistsWithAllNamesAboveIt(t *testing.T) {
	z := mustZone(t, soaLine+"a.b.c.example.com. 60 A 192.0.2.1\n")
	for _, name := range []string{"a.b.c.example.com.", "b.c.example.com.", "c.example.com.", "example.com."} {
		require.Contains(t, z.nodes, name)
	}
	require.NotContains(t, z.nodes, "com.")
}

func TestShippedZoneUsesReservedNamesAndAddressesOnly(t *testing.T) {
	var documentation []netip.Prefix
	// RFC 5737 and RFC 3849.
	for _, p := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"} {
		documentation = append(documentation, netip.MustParsePrefix(p))
	}
	types := map[uint16]int{}
	for _, rr := range shippedRecords(t) {
		types[rr.Header().Rrtype]++
		require.True(t, dns.IsSubDomain("example.org.", rr.Header().Name), rr)
		if address, ok := addressOf(rr); ok {
			inside := false
			for _, p := range documentation {
				inside = inside || p.Contains(address)
			}
			require.True(t, inside, rr)
		}
	}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeNS, dns.TypeSOA} {
		require.Positive(t, types[qtype], dns.Type(qtype))
	}
}

func addressOf(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A.To4())
		return a, ok
	case *dns.AAAA:
		a, ok := netip.AddrFromSlice(rr.AAAA.To16())
		return a, ok
	}
	return netip.Addr{}, false
}
