package main

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/require"
)

// A load generator counts any answer. If one were refused, or cut short, it would
// measure something else than a look-up.
func TestQueriesOfTheLoadGeneratorAreLookedUp(t *testing.T) {
	file, err := os.Open("testdata/queries.txt")
	require.NoError(t, err)
	defer file.Close()
	r := shippedResponder(t)
	asked := 0
	for list := bufio.NewScanner(file); list.Scan(); asked++ {
		name, qtype, _ := strings.Cut(list.Text(), " ")
		require.Contains(t, dns.StringToType, qtype, name)
		m := r.ask(t, question(1, dns.Fqdn(name), dns.StringToType[qtype]), overUDP)
		require.Contains(t, []int{dns.RcodeSuccess, dns.RcodeNameError}, m.Rcode, name)
		require.False(t, m.Truncated, name)
	}
	require.GreaterOrEqual(t, asked, 20)
}
