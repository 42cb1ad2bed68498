package main

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Inside the package, because a command exports nothing.

func TestSoakPasses(t *testing.T) {
	var out, complaints bytes.Buffer
	status := command([]string{"-for", "2s", "-seed", "7"}, &out, &complaints)
	t.Log(out.String())
	require.Zero(t, status, complaints.String())
	require.Contains(t, out.String(), "with seed 7\n")
	require.Contains(t, out.String(), "at the end")
}

func TestNonsenseFlagsAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-for", "soon"}, {"-bogus"}, {"1m"}} {
		var complaints bytes.Buffer
		require.Equal(t, 2, command(args, io.Discard, &complaints))
		require.Contains(t, complaints.String(), args[len(args)-1])
	}
	require.Zero(t, command([]string{"-h"}, io.Discard, io.Discard))
}

// A soak that cannot fail proves nothing: each fault that it looks for is
// committed here, and must be reported.
func TestSoakFindsFaults(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	kept := make(chan []byte, 1000)
	for want, fault := range map[string]func(*load){
		"goroutines:":    func(*load) { go func() { <-release }() },
		"bytes of heap:": func(*load) { kept <- make([]byte, 16<<20) },
		"in vain until all tasks have ended": func(l *load) {
			l.patience = time.Millisecond
			l.loose.Inc()
		},
		"tasks run:":                 func(l *load) { l.ran.Inc() },
		"groups with a wrong error:": func(l *load) { l.misled.Inc() },
		"panics handled:":            func(l *load) { l.handled.Add(1 << 40) },
		" running, ": func(l *load) {
			l.patience = time.Millisecond
			l.ending = closedAfterwards
			l.pool.Run(func() { <-release })
		},
		"in vain until a dropped pool drains": func(l *load) {
			l.patience = time.Millisecond
			l.ending = dropped
			l.pool.Run(func() { <-release })
		},
	} {
		t.Run(want, func(t *testing.T) {
			s := newSoak(7, io.Discard)
			s.patience = time.Millisecond
			s.fault = fault
			require.ErrorContains(t, s.run(10*time.Millisecond), want)
			for len(kept) > 0 {
				<-kept
			}
		})
	}
}
