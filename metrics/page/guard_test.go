package page_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/stretchr/testify/require"
)

// ask returns the answer to a request with this Host header.
func ask(p *page.Page, host, query string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/debug/hemlock?"+query, nil)
	r.Host = host
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func newPage(tb testing.TB, pools ...page.Pool) *page.Page {
	tb.Helper()
	p, err := page.Handler(pools...)
	require.NoError(tb, err)
	return p
}

func TestLoopbackNamesAreAnswered(t *testing.T) {
	p := newPage(t, page.Pool{Name: "dns", Pool: hemlock.New()})
	for _, host := range []string{
		"localhost", "localhost:8080", "LocalHost:1", "localhost.", "localhost.:80",
		"127.0.0.1", "127.0.0.1:65535", "127.255.255.254:80", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:80",
	} {
		for _, format := range []string{"", "format=json", "format=contents"} {
			require.Equal(t, http.StatusOK, ask(p, host, format).Code, host)
		}
	}
}

// A name that resolves to 127.0.0.1 reaches the page, but is not one of its
// names (docs/PITFALLS.md, 52).
func TestForeignHostsAreRefused(t *testing.T) {
	p := newPage(t, page.Pool{Name: "a secret", Pool: hemlock.New()})
	for _, host := range []string{
		"", "attacker.example", "attacker.example:8080", "localhost.attacker.example", "127.0.0.1.attacker.example:80",
		"attacker.example.localhost", "10.0.0.1", "128.0.0.1:80", "0.0.0.0", "[::]", "[::2]:80", "[fe80::1]", "127.1", "2130706433",
		"localhost:80:80", "[", "]", ":80", "localhost@attacker.example", "127.0.0.1/", "<script>",
	} {
		for _, format := range []string{"", "format=json", "format=contents", "format=nonsense"} {
			w := ask(p, host, format)
			require.Equal(t, http.StatusForbidden, w.Code, host)
			require.NotContains(t, w.Body.String(), "secret")
			require.Equal(t, "text/plain; charset=utf-8", w.Header().Get("Content-Type"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		}
	}
}

func TestAllowedHostsAreAnsweredAndOthersAreNot(t *testing.T) {
	p := newPage(t, page.Pool{Name: "dns", Pool: hemlock.New()})
	p.Allow("Ns1.internal", "192.0.2.7", "2001:db8::7")
	p.Allow("ns2.internal.")
	for _, host := range []string{"ns1.INTERNAL:8080", "ns2.internal", "192.0.2.7:80", "[2001:db8::7]:80", "localhost"} {
		require.Equal(t, http.StatusOK, ask(p, host, "").Code, host)
	}
	for _, host := range []string{"ns3.internal", "x.ns1.internal", "192.0.2.8", "attacker.example", ""} {
		require.Equal(t, http.StatusForbidden, ask(p, host, "").Code, host)
	}
}
