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
	origin string // canonical: lower case, with the final dot

	// nodes holds every name that exists, in canonical spelling. Names without
	// records of their own, which exist because others lie below them, are in
	// it too.
	// Invariant: with a name, all names between it and the origin are here.
	nodes map[string]*node

	// denial is the authority section of every negative answer: the SOA, with
	// the TTL for which the answer may be cached (RFC 2308, section 3).
	denial []dns.RR
}

// A node is what the zone says about one name.
type node struct {
	sets     map[uint16][]dns.RR // by type; empty for an empty non-terminal
	wildcard *node               // the node of the name with * in front, if any
	cut      bool                // the name and all below it are served elsewhere
}

// loadRecords reads the named master file, or the shipped one if the name is
// empty.
func loadRecords(name string) ([]dns.RR, error) {
	file, err := openZone(name)
	if err != nil {
		return nil, fmt.Errorf("zone file: %w", err)
	}
	defer file.Close()
	if name == "" {
		name = filepath.Base(shippedZone)
	}
	return readRecords(file, name)
}

func openZone(name string) (fs.File, error) {
	if name == "" {
		return shipped.Open(shippedZone)
	}
	return os.Open(name)
}

// readRecords parses a master file. $INCLUDE works: the user that names the zone file
// on the command line may read the files that it names.
func readRecords(r io.Reader, name string) ([]dns.RR, error) {
	parser := dns.NewZoneParser(r, "", name)
	parser.SetIncludeAllowed(true)
	var records []dns.RR
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		wired, err := throughWire(rr)
		if err != nil {
			return nil, fmt.Errorf("zone file: %s: %q: %w", name, rr, err)
		}
		records = append(records, wired)
	}
	if err := parser.Err(); err != nil {
		return nil, fmt.Errorf("zone file: %w", err)
	}
	return records, nil
}

// throughWire packs the record and unpacks it again. So a record that cannot be sent is
// found now and not at the first query for it, and every name is spelled with the
// escapes that names of queries have.
func throughWire(rr dns.RR) (dns.RR, error) {
	wire := make([]byte, dns.Len(rr)+1) // the library's own Pack leaves one octet too
	n, err := dns.PackRR(rr, wire, 0, nil, false)
	if err != nil {
		return nil, err
	}
	rr, _, err = dns.UnpackRR(wire[:n], 0)
	return rr, err
}

// newZone indexes the records, after it has looked for what would make answers
// ambiguous. Its errors name the zone and the record.
func newZone(records []dns.RR) (*zone, error) {
	soa, err := onlySOA(records)
	if err != nil {
		return nil, err
	}
	z := &zone{origin: dns.CanonicalName(soa.Hdr.Name), nodes: map[string]*node{}}
	z.denial = []dns.RR{negative(soa)}
	for _, rr := range records {
		if err := z.add(rr); err != nil {
			return nil, fmt.Errorf("zone %s: %w", z.origin, err)
		}
	}
	for name, n := range z.nodes {
		n.wildcard = z.nodes["*."+name]
		n.cut = name != z.origin && len(n.sets[dns.TypeNS]) > 0
		if len(n.sets[dns.TypeCNAME]) > 0 && (len(n.sets) > 1 || len(n.sets[dns.TypeCNAME]) > 1) {
			return nil, fmt.Errorf("zone %s: %s has a CNAME and other records", z.origin, name)
		}
	}
	return z, nil
}

// onlySOA returns the record that says where the zone begins.
func onlySOA(records []dns.RR) (*dns.SOA, error) {
	var found *dns.SOA
	for _, rr := range records {
		soa, ok := rr.(*dns.SOA)
		switch {
		case !ok:
		case found != nil:
			return nil, fmt.Errorf("zone %s has a second SOA at %s", found.Hdr.Name, soa.Hdr.Name)
		default:
			found = soa
		}
	}
	if found == nil {
		return nil, errors.New("zone has no SOA record")
	}
	return found, nil
}

// negative returns the SOA as negative answers carry it.
func negative(soa *dns.SOA) dns.RR {
	soa = dns.Copy(soa).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl)
	return soa
}

func (z *zone) add(rr dns.RR) error {
	h := rr.Header()
	switch {
	case h.Class != dns.ClassINET:
		return fmt.Errorf("%s %s is of class %s, not IN", h.Name, dns.Type(h.Rrtype), dns.Class(h.Class))
	case !z.contains(h.Name):
		return fmt.Errorf("%s %s lies outside the zone", h.Name, dns.Type(h.Rrtype))
	}
	n := z.grow(dns.CanonicalName(h.Name))
	for _, old := range n.sets[h.Rrtype] {
		if dns.IsDuplicate(old, rr) {
			return nil // RFC 2181, section 5: a set holds a record once
		}
	}
	n.sets[h.Rrtype] = append(n.sets[h.Rrtype], rr)
	return nil
}

// grow returns the node of a canonical name, and makes it and those between it
// and the origin exist.
func (z *zone) grow(name string) *node {
	for above := range upwards(name) {
		if z.nodes[above] == nil {
			z.nodes[above] = &node{sets: map[uint16][]dns.RR{}}
		}
		if above == z.origin {
			break
		}
	}
	return z.nodes[name]
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
