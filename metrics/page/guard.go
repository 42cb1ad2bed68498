package page

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
)

// A guard refuses requests for hosts that it does not know. The browser of a victim
// sends the name that the attacker's page was loaded from, wherever that name leads. So
// the Host header tells such a request from one of the user.
type guard struct {
	mu      sync.RWMutex
	allowed map[string]bool // in the form of canonical
}

func (g *guard) allow(hosts ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.allowed == nil {
		g.allowed = map[string]bool{}
	}
	for _, h := range hosts {
		g.allowed[canonical(h)] = true
	}
}

// admits reports whether a request with this Host header may be answered.
func (g *guard) admits(hostport string) bool {
	host := canonical(hostport)
	if isLoopback(host) {
		return true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	return host != "" && g.allowed[host]
}

// refuse answers a request that was not admitted.
func refuse(w http.ResponseWriter, hostport string) {
	http.Error(w, fmt.Sprintf("hemlock: this page answers to loopback names only, not to %q; Page.Allow makes exceptions", hostport),
		http.StatusForbidden)
}

// canonical returns the host without its port, brackets, and final dot, in
// lower case.
func canonical(hostport string) string {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	} else if inner, ok := strings.CutPrefix(hostport, "["); ok {
		host, _ = strings.CutSuffix(inner, "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isLoopback does not ask the resolver: an attacker forges its answers.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
