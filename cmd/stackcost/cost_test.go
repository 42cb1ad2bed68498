package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"
)

// calling returns a stack of functions, the outermost first. A function without a
// package is the runtime's.
func calling(functions ...string) []frame {
	var frames []frame
	for _, name := range functions {
		if !strings.Contains(name, ".") {
			name = "runtime." + name
		}
		frames = append(frames, frame{name: name})
	}
	return frames
}

func TestTellsGrowingFromWhatElseTheRuntimeDoes(t *testing.T) {
	for name, c := range map[string]struct {
		frames []frame
		what   cost
		upTo   int
	}{
		"a stack is copied":           {calling("main.f", "main.g", "newstack", "copystack", "memmove"), growing, 2},
		"on its way there":            {calling("main.f", "morestack"), growing, 1},
		"of no known owner":           {calling("newstack", "copystack"), growing, 0},
		"preempted":                   {calling("main.f", "newstack", "gopreempt_m", "goschedImpl", "schedule"), other, 1},
		"preempted, to shrink":        {calling("main.f", "newstack", "shrinkstack", "copystack"), shrinking, 1},
		"a collection shrinks":        {calling("gcBgMarkWorker", "scanstack", "shrinkstack", "copystack"), shrinking, 0},
		"a goroutine is made":         {calling("main.f", "newproc", "systemstack", "newproc.func1", "newproc1", "malg", "stackalloc"), starting, 1},
		"a processor is woken for it": {calling("main.f", "newproc", "systemstack", "newproc.func1", "wakep", "startm"), waking, 1},
		"a goroutine is put away":     {calling("mcall", "goexit0", "gdestroy", "gfput", "stackfree"), starting, 0},
		"the scheduler after that":    {calling("mcall", "goexit0", "schedule", "findRunnable"), other, 0},
		"the program":                 {calling("main.f", "main.g"), other, 0},
		"a collection frees stacks":   {calling("gcBgMarkWorker", "freeStackSpans"), growing, 0},
	} {
		t.Run(name, func(t *testing.T) {
			what, upTo := classify(c.frames)
			require.Equal(t, c.what, what)
			require.Equal(t, c.upTo, upTo)
		})
	}
}

func TestTellsYourCodeFromOthers(t *testing.T) {
	runtime := frame{name: "runtime.newproc", file: "/opt/go/src/runtime/proc.go"}
	inlined := frame{name: "runtime.mapassign", file: "/opt/go/src/internal/runtime/maps/runtime.go"}
	placed := findOrigins([]stack{{frames: []frame{inlined, runtime}}})
	trimmed := findOrigins([]stack{{frames: []frame{{name: "runtime.newproc", file: "runtime/proc.go"}}}})
	for _, c := range []struct {
		origins origins
		f       frame
		want    origin
	}{
		{placed, frame{name: "net/http.(*conn).serve", file: "/opt/go/src/net/http/server.go"}, standard},
		{placed, frame{name: "shop/cart.Add", file: "/home/shop/cart/cart.go"}, yours},
		{placed, frame{name: "example.org/x.F", file: "/home/go/pkg/mod/example.org/x@v1.2.0/x.go"}, library},
		{placed, frame{name: "example.org/x.F", file: "/home/shop/vendor/example.org/x/x.go"}, library},
		{trimmed, frame{name: "net/http.(*conn).serve", file: "net/http/server.go"}, standard},
		{trimmed, frame{name: "context.WithValue", file: "context/context.go"}, standard},
		{trimmed, frame{name: "main.main", file: "example.org/shop/main.go"}, yours},
		{trimmed, frame{name: "example.org/shop/cart.Add", file: "example.org/shop/cart/cart.go"}, yours},
		{trimmed, frame{name: "example.org/x.F", file: "example.org/x@v1.2.0/x.go"}, library},
	} {
		require.Equal(t, c.want, c.origins.of(c.f), "%+v", c.f)
	}
}

// surveyed counts stacks of that many ticks each.
func surveyed(ticks int64, stacks ...[]frame) *survey {
	s := &samples{}
	for _, frames := range stacks {
		s.stacks = append(s.stacks, stack{frames: frames, ticks: ticks, cut: len(frames) >= maxDepth})
		s.ticks += ticks
		s.nanos += ticks * 1e7
	}
	return count(s)
}

// A stack that is deeper than a profile keeps has lost its entry, but not the
// functions above that.
func TestCutStacksAreToldByWhatTheyStillHave(t *testing.T) {
	deep := calling("main.handle")
	for len(deep) < maxDepth-1 {
		deep = append(deep, frame{name: "main.dig"})
	}
	deep = append(deep, frame{name: "runtime.newstack"})
	v := surveyed(500, deep, calling("main.serve.func1", "main.handle"), calling("main.tick", "main.other"))
	require.Zero(t, v.orphans)
	require.Equal(t, "main.serve.func1", v.sites[0].entry.name)
	require.Equal(t, int64(500), v.sites[0].growing)

	v = surveyed(500, deep, calling("main.serve.func1", "main.handle"), calling("main.tick", "main.handle"))
	require.Equal(t, int64(500), v.orphans, "either goroutine calls main.handle")
	answer, because := v.answer(v.forecast())
	require.Equal(t, unknown, answer)
	require.Contains(t, because, "stacks of unknown goroutines")
}

// Stacks that grow no more than collections shrink them are no gain of a pool.
func TestStacksThatGrowAgainAreNoGain(t *testing.T) {
	grow := calling("main.serve.func1", "main.handle", "newstack", "copystack")
	shrink := calling("gcBgMarkWorker", "shrinkstack", "copystack")
	v := surveyed(500, grow, shrink, shrink, calling("main.f"), calling("main.f"))
	answer, because := v.answer(v.forecast())
	require.Equal(t, no, answer, because)
	require.Contains(t, because, "grows again what garbage collections shrank")

	v = surveyed(500, grow, grow, calling("main.f"), calling("main.f"))
	answer, because = v.answer(v.forecast())
	require.Equal(t, yes, answer, because)
}

// Where a function has several go statements, the line on which the started function
// begins tells which one it was.
func TestStatementsAreMatchedByLine(t *testing.T) {
	entry := func(n string, line int) frame {
		return frame{name: "main.serve.func" + n, file: "serve.go", start: line}
	}
	start := func(line int) []frame {
		return append([]frame{{name: "main.main", file: "serve.go"}, {name: "main.serve", file: "serve.go", line: line}}, calling("newproc", "newproc1")...)
	}
	v := surveyed(100,
		append([]frame{entry("1", 10)}, calling("newstack")...),
		append([]frame{entry("2", 20)}, calling("newstack")...),
		start(20), start(20), start(10), start(30))
	lines := map[int]string{}
	for _, at := range v.sites {
		for statement := range at.statements {
			lines[statement.line] = at.entry.name
		}
	}
	require.Equal(t, map[int]string{10: "main.serve.func1", 20: "main.serve.func2"}, lines)
}

func load(t *testing.T, name string) *profile.Profile {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".pb.gz"))
	require.NoError(t, err)
	p, err := profile.ParseData(data)
	require.NoError(t, err)
	return p
}

func save(t *testing.T, p *profile.Profile) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return written(t, b.Bytes())
}

// written returns the name of a file with that content.
func written(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "profile")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// Whatever the octets are, there is a report or an error of one line.
func FuzzEveryFileIsAnsweredOrRefused(f *testing.F) {
	for _, name := range []string{"dns-go-32", "grpc-go-8"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".pb.gz"))
		require.NoError(f, err)
		p, err := profile.ParseData(data)
		require.NoError(f, err)
		p.Sample = p.Sample[:10] // small inputs are tried faster
		var zipped, plain bytes.Buffer
		require.NoError(f, p.Compact().Write(&zipped))
		require.NoError(f, p.Compact().WriteUncompressed(&plain))
		f.Add(zipped.Bytes())
		f.Add(plain.Bytes())
		f.Add(plain.Bytes()[:plain.Len()/3])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parse(data)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		r := newReport("fuzz", count(s))
		require.Contains(t, words, r.Answer)
		require.NotEmpty(t, r.Because)
	})
}
