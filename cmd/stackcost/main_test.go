package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"path/filepath"
	runtimepprof "runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// A result is what one run of the program left.
type result struct {
	status         int
	stdout, stderr string
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := command{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	status := c.run(t.Context(), args)
	return result{status, stdout.String(), stderr.String()}
}

// reported runs the program on a profile that it must answer.
func reported(t *testing.T, name string) (r report) {
	t.Helper()
	got := run(t, "-json", filepath.Join("testdata", name+".pb.gz"))
	require.Zero(t, got.status, got.stderr)
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &r))
	return r
}

func TestAnswersForTheProjectsOwnServers(t *testing.T) {
	const dnsLine, grpcLine = "dnsserver/runner.go:83", "generate/grpc.go:81"
	for name, want := range map[string]struct{ answer, names string }{
		"dns-go-0":        {yes, dnsLine},
		"dns-go-8":        {yes, dnsLine},
		"dns-go-32":       {yes, dnsLine},
		"dns-pool-0":      {no, "less than 5 %"},
		"dns-pool-8":      {no, "kept already (a worker of hemlock)"},
		"dns-pool-32":     {no, "kept already (a worker of hemlock)"},
		"grpc-go-0":       {no, "grpc.NumStreamWorkers"},
		"grpc-go-8":       {unknown, "too close"},
		"grpc-go-32":      {yes, grpcLine},
		"grpc-pool-0":     {no, "google.golang.org/grpc"},
		"grpc-pool-32":    {no, "google.golang.org/grpc"},
		"grpc-workers-32": {no, "kept already (a worker of grpc-go"},

		"go1.27/dns-go-32":   {yes, dnsLine},
		"go1.27/dns-pool-32": {no, "kept already (a worker of hemlock)"},
	} {
		t.Run(name, func(t *testing.T) {
			r := reported(t, name)
			require.Equal(t, want.answer, r.Answer, r.Because)
			require.Contains(t, r.Because, want.names)
		})
	}
}

// The project's DNS server: between 30 and 60 % with go, and the line is named.
func TestDeepQueriesOnGoStatementsPayAThird(t *testing.T) {
	for _, name := range []string{"dns-go-32", "go1.27/dns-go-32"} {
		r := reported(t, name)
		require.Greater(t, r.Growing.Percent, 30.0)
		require.Less(t, r.Growing.Percent, 60.0)
		require.Contains(t, r.Sites[0].At, "dnsserver/runner.go:83")
		require.Contains(t, r.Sites[0].Handlers[0].At, "dnsserver/udp.go:82")
	}
}

// The forecast from the profile of go, against what the pool gave back.
func TestForecastsHoldForTheProjectsOwnServers(t *testing.T) {
	micros := measured(t)
	for server, change := range map[string]string{"dns": "Run", "grpc": "Do"} {
		for _, work := range []string{"0", "8", "32"} {
			r := reported(t, server+"-go-"+work)
			gave := gaveBack(t, micros[server+"-go-"+work], micros[server+"-pool-"+work])
			at := slices.IndexFunc(r.Options, func(o option) bool { return o.With == change })
			if at < 0 { // then there was nothing worth foretelling
				require.Less(t, gave, 5.0, "%s %s", server, work)
				continue
			}
			o := r.Options[at]
			t.Logf("%s, %s KiB: %s: %.0f to %.0f %%, measured %.0f %%", server, work, change, o.Low, o.High, gave)
			require.GreaterOrEqual(t, gave, o.Low)
			require.LessOrEqual(t, gave, o.High)
		}
	}
}

// measured returns the processor time of a request in each round, by SERVER-RUNNER-KIB.
func measured(t *testing.T) map[string][]float64 {
	t.Helper()
	data, err := os.ReadFile("testdata/measured.json")
	require.NoError(t, err)
	var all []struct { // in the order of the rounds
		Server, Runner string
		Work           json.Number `json:"work_kib"`
		Micros         float64     `json:"cpu_us_per_request"`
	}
	require.NoError(t, json.Unmarshal(data, &all))
	micros := map[string][]float64{}
	for _, m := range all {
		key := m.Server + "-" + m.Runner + "-" + m.Work.String()
		micros[key] = append(micros[key], m.Micros)
	}
	return micros
}

// gaveBack returns the median over the rounds, in percent of the time with go.
func gaveBack(t *testing.T, withGo, withPool []float64) float64 {
	t.Helper()
	require.Len(t, withGo, 3)
	require.Len(t, withPool, 3)
	var gains []float64
	for round := range withGo {
		gains = append(gains, 100*(1-withPool[round]/withGo[round]))
	}
	slices.Sort(gains)
	return gains[1]
}

// zipped returns the content as gzip.
func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestWhatCannotBeReadIsSaidInOneLine(t *testing.T) {
	whole, err := os.ReadFile("testdata/dns-go-8.pb.gz")
	require.NoError(t, err)
	var heap bytes.Buffer
	require.NoError(t, runtimepprof.Lookup("heap").WriteTo(&heap, 0))
	nothing, foreign, difference := load(t, "dns-go-8"), load(t, "dns-go-8"), load(t, "dns-go-8")
	nothing.Sample = nil
	for _, f := range foreign.Function {
		f.Name = "libc"
	}
	difference.Sample[0].Value = []int64{-1, -1e7}
	for want, file := range map[string]string{
		"empty":                     written(t, nil),
		"unrecognized profile":      written(t, []byte("GET / HTTP/1.1")),
		"unexpected EOF":            written(t, whole[:len(whole)/2]),
		"compressed twice":          written(t, zipped(t, whole)),
		"not a CPU profile":         written(t, heap.Bytes()),
		"no samples":                save(t, nothing),
		"negative times":            save(t, difference),
		"not of a Go program":       save(t, foreign),
		"no such file or directory": filepath.Join(t.TempDir(), "nothing"),
		"is a directory":            t.TempDir(),
	} {
		t.Run(want, func(t *testing.T) {
			got := run(t, file)
			require.Equal(t, unreadable, got.status, got.stderr)
			require.Empty(t, got.stdout)
			require.Contains(t, got.stderr, file)
			require.Contains(t, got.stderr, want)
			require.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
		})
	}
}

func TestProfileThatHoldsTooMuchIsRefused(t *testing.T) {
	defer func(most int) { maxProfile = most }(maxProfile)
	maxProfile = 1 << 20
	for _, content := range [][]byte{make([]byte, maxProfile+1), zipped(t, make([]byte, maxProfile+1))} {
		got := run(t, written(t, content))
		require.Equal(t, unreadable, got.status)
		require.Contains(t, got.stderr, "more than 1 MiB: too large for a profile")
	}
}

func TestMisuseEndsWithTwo(t *testing.T) {
	for want, args := range map[string][]string{
		"want one profile":          {},
		"got 2":                     {"a", "b"},
		"must be between":           {"-seconds", "0", "http://127.0.0.1:1"},
		"flag provided but not def": {"-nonsense"},
	} {
		got := run(t, args...)
		require.Equal(t, misused, got.status)
		require.Contains(t, got.stderr, want)
	}
	require.Zero(t, run(t, "-h").status)
}

// Few samples are no answer, and no error.
func TestTooFewSamplesAreNoAnswer(t *testing.T) {
	p := load(t, "dns-go-32")
	p.Sample = slices.DeleteFunc(p.Sample, func(s *profile.Sample) bool { return s.Value[0] > 1 })[:20]
	got := run(t, save(t, p))
	require.Zero(t, got.status)
	require.True(t, strings.HasPrefix(got.stdout, "not from this profile: "), got.stdout)
	require.Contains(t, got.stdout, "too few")
}

func TestProfileComesFromALiveProgram(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc(profilePath, pprof.Profile)
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { // something to see: goroutines that are all as deep
		for ctx.Err() == nil {
			ended := make(chan struct{})
			go func() { defer close(ended); deep(64) }()
			<-ended
		}
	}()
	got := run(t, "-seconds", "2", server.URL)
	require.Zero(t, got.status, got.stderr)
	require.Contains(t, got.stderr, "taking a profile from "+server.URL+profilePath+"?seconds=2")
	require.Contains(t, got.stdout, "TestProfileComesFromALiveProgram")
}

//go:noinline
func deep(kib int) byte {
	var frame [1 << 10]byte
	frame[kib] = 1
	if kib > 1 {
		frame[0] += deep(kib - 1)
	}
	return frame[0] + frame[kib]
}

func TestServerThatRefusesIsNamed(t *testing.T) {
	for want, handler := range map[string]http.HandlerFunc{
		"404 Not Found; programs that import net/http/pprof": http.NotFound,
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte("half"))
		},
	} {
		server := httptest.NewServer(handler)
		got := run(t, server.URL+"/?seconds=1")
		server.Close()
		require.Equal(t, unreadable, got.status)
		require.Contains(t, got.stderr, "from "+server.URL+profilePath+"?seconds=1\n")
		require.Contains(t, got.stderr, want)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	got := run(t, gone.URL)
	require.Equal(t, unreadable, got.status)
	require.Contains(t, got.stderr, "connection refused")
}

func TestAnImpatientUserInterrupts(t *testing.T) {
	started := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-started
		interrupt()
	}()
	var stdout, stderr bytes.Buffer
	c := command{stdout: &stdout, stderr: &stderr}
	require.Equal(t, unreadable, c.run(ctx, []string{server.URL}))
	require.Contains(t, stderr.String(), "context canceled")
}

// The page is one file, and loads nothing else.
func TestPageIsSelfContained(t *testing.T) {
	for _, name := range []string{"dns-go-32", "dns-pool-0", "grpc-go-32"} {
		page := pageOf(t, "testdata/"+name+".pb.gz")
		require.Equal(t, name != "dns-pool-0", strings.Contains(page, "<svg"), "nothing grows there")
		require.Contains(t, page, "prefers-color-scheme")
		require.NotRegexp(t, `(src|href)="?(https?:)?//`, page)
		require.NotContains(t, page, "<script")
		require.NotContains(t, page, "ZgotmplZ", "the template refused a value")
	}
}

// pageOf returns the page of a profile.
func pageOf(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	require.Zero(t, run(t, "-html", file, name).status)
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(page)
}

// Names in a profile come from elsewhere, and must not become markup.
func TestPageEscapesNames(t *testing.T) {
	p := load(t, "dns-go-32")
	for _, f := range p.Function {
		if strings.HasPrefix(f.Name, "main.useStack") {
			f.Name = "main.<img src=x>"
		}
	}
	page := pageOf(t, save(t, p))
	require.Contains(t, page, "&lt;img")
	require.NotContains(t, page, "<img")
}

func TestPageThatCannotBeWrittenIsSaidInOneLine(t *testing.T) {
	got := run(t, "-html", filepath.Join(t.TempDir(), "no", "folder"), "testdata/dns-go-8.pb.gz")
	require.Equal(t, unreadable, got.status)
	require.Equal(t, 1, strings.Count(got.stderr, "\n"), got.stderr)
}
