package main

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/miekg/dns"
)

//go:embed zones
var shipped embed.FS

// shippedZone is the zone that is served when none is named.
const shippedZone = "zones/example.org.zone"

// A zone holds the records of one master file, indexed by name. Nothing in it
// changes after newZone, so any number of queries read it without a lock, and
// answers share its records.
type zone struct {
	records []dns.RR
	origin  string // canonical: lower case, with the final dot

	// names holds the sets of records of every name that exists, in canonical spelling,
	// by type. Names without records of their own, which exist because others lie below
	// them, are in it too.
	// Invariant: with a name, all names between it and the origin are here.
	names map[string]map[uint16][]dns.RR

	// denial is the authority section of every negative answer: the SOA, with
	// the TTL for which the answer may be cached (RFC 2308, section 3).
	denial []dns.RR
}

// loadZone reads the named master file, or the shipped one if the name is empty.
func loadZone(name string) (*zone, error) {
	var file fs.File
	var err error
	if name == "" {
		file, err = shipped.Open(shippedZone)
		name = filepath.Base(shippedZone)
	} else {
		file, err = os.Open(name)
	}
	if err != nil {
		return nil, fmt.Errorf("zone file: %w", err)
	}
	defer file.Close()
	return readZone(file, name)
}

// readZone parses a master file.
func readZone(r io.Reader, name string) (*zone, error) {
	parser := dns.NewZoneParser(r, "", name)
	var records []dns.RR
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		return nil, fmt.Errorf("zone file: %w", err)
	}
	z, err := newZone(dns.Dedup(records, nil))
	if err != nil {
		return nil, fmt.Errorf("zone file %s: %w", name, err)
	}
	return z, nil
}

// newZone indexes the records, after it has looked for what would make answers ambiguous.
func newZone(records []dns.RR) (*zone, error) {
	z := &zone{records: records, names: map[string]map[uint16][]dns.RR{}}
	for _, rr := range records {
		if soa, ok := rr.(*dns.SOA); ok {
			z.origin, z.denial = dns.CanonicalName(soa.Hdr.Name), append(z.denial, negative(soa))
		}
	}
	if len(z.denial) != 1 {
		return nil, fmt.Errorf("%d SOA records; want one", len(z.denial))
	}
	for _, rr := range records {
		h := rr.Header()
		if h.Class != dns.ClassINET || !z.contains(h.Name) {
			return nil, fmt.Errorf("outside the zone %s: %v", z.origin, rr)
		}
		z.add(dns.CanonicalName(h.Name), rr)
	}
	for name, sets := range z.names {
		if aliases := len(sets[dns.TypeCNAME]); aliases > 0 && (len(sets) > 1 || aliases > 1) {
			return nil, errors.New(name + " has a CNAME and other records")
		}
	}
	return z, nil
}

// negative returns the SOA as negative answers carry it.
func negative(soa *dns.SOA) dns.RR {
	soa = dns.Copy(soa).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	return soa
}

// add makes the name, and those between it and the origin, exist.
func (z *zone) add(name string, rr dns.RR) {
	for above := range upwards(name) {
		if z.names[above] == nil {
			z.names[above] = map[uint16][]dns.RR{}
		}
		if above == z.origin {
			break
		}
	}
	qtype := rr.Header().Rrtype
	z.names[name][qtype] = append(z.names[name][qtype], rr)
}

// contains reports whether the name is the origin or lies below it.
func (z *zone) contains(name string) bool { return dns.IsSubDomain(z.origin, name) }

// upwards yields the name, the name without its first label, and so on to the
// root.
func upwards(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for off, end := 0, name == "."; !end; off, end = dns.NextLabel(name, off) {
			if !yield(name[off:]) {
				return
			}
		}
		yield(".")
	}
}
