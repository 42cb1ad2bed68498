package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// A tally counts ticks by what they are of.
type tally map[frame]int64

// top returns the frames with the most ticks first. Frames with the same number are in
// the order of their places, so that a report is the same each time.
func (t tally) top(n int) []frame {
	all := slices.SortedFunc(maps.Keys(t), func(a, b frame) int {
		return cmp.Or(cmp.Compare(t[b], t[a]), cmp.Compare(a.name, b.name), cmp.Compare(a.line, b.line))
	})
	return all[:min(n, len(all))]
}

// A site is all goroutines that begin with the same function.
type site struct {
	entry frame
	kept  string // what keeps these goroutines for further tasks; "" if nothing does

	ticks    int64 // everything below the entry
	growing  int64
	starting int64 // at the go statements that are its own for certain
	handled  int64 // of growing: below a function of the program's own, where Do could be

	statements tally // go statements
	handlers   tally // growing by the first function of the program's own
	needs      tally // growing by the function that needed the stack
}

// A survey is the whole profile, counted.
type survey struct {
	*samples
	origins origins
	sites   []*site // those that grow most first

	spent   [waking + 1]int64 // ticks by cost
	orphans int64             // ticks of growing that cannot be told to be of a site

	statements tally // starting by go statement
	paid       []payment
}

// A payment is a stack of what grows or starts. From upTo on there are a few frames of
// the runtime.
type payment struct {
	frames []frame
	upTo   int
	ticks  int64
}

// count sorts the samples into sites.
func count(s *samples) *survey {
	v := &survey{samples: s, origins: findOrigins(s.stacks), statements: tally{}}
	byEntry := map[string]*site{}
	roots := rootsOf(s.stacks)
	for _, one := range s.stacks {
		what, upTo := classify(one.frames)
		v.spent[what] += one.ticks
		if upTo > 0 && (what == growing || what == starting) {
			const inner = 3 // frames of the runtime, which show what the time went to
			v.paid = append(v.paid, payment{one.frames[:min(len(one.frames), upTo+inner)], upTo, one.ticks})
		}
		at := v.site(byEntry, roots, one)
		if at != nil {
			at.ticks += one.ticks
		}
		switch {
		case what == growing && upTo > 0 && at != nil:
			v.grow(at, one, upTo)
		case what == growing:
			v.orphans += one.ticks
		case (what == starting || what == waking) && upTo > 0:
			// The function that starts goroutines is at the same line for all of them,
			// whatever called it.
			v.statements[one.frames[upTo-1]] += one.ticks
		}
	}
	v.sites = slices.SortedFunc(maps.Values(byEntry), func(a, b *site) int {
		return cmp.Or(cmp.Compare(b.growing, a.growing), cmp.Compare(b.ticks, a.ticks), cmp.Compare(a.entry.name, b.entry.name))
	})
	v.matchStatements()
	return v
}

// site returns the site of the stack, or nil if it is the scheduler's, the
// collector's, or cut and unknown.
func (v *survey) site(known map[string]*site, roots map[string]frame, one stack) *site {
	if len(one.frames) == 0 {
		return nil
	}
	entry := one.frames[0]
	if one.cut {
		found := false
		if entry, found = rootOf(one.frames, roots); !found {
			return nil
		}
	}
	if strings.HasPrefix(entry.name, "runtime.") && entry.name != "runtime.main" && entry.name != "runtime.corostart" {
		return nil
	}
	at := known[entry.name]
	if at == nil {
		at = &site{entry: entry, kept: keeper(one.frames), statements: tally{}, handlers: tally{}, needs: tally{}}
		known[entry.name] = at
	}
	return at
}

// rootsOf learns from the stacks that are whole which function is below which
// entry. Functions that are below several stand for none.
func rootsOf(stacks []stack) map[string]frame {
	roots := map[string]frame{}
	for _, s := range stacks {
		if s.cut || len(s.frames) == 0 {
			continue
		}
		for _, f := range s.frames {
			if root, known := roots[f.name]; known && root.name != s.frames[0].name {
				roots[f.name] = frame{}
				continue
			}
			roots[f.name] = s.frames[0]
		}
	}
	return roots
}

func rootOf(frames []frame, roots map[string]frame) (frame, bool) {
	for _, f := range frames {
		if root := roots[f.name]; root.name != "" {
			return root, true
		}
	}
	return frame{}, false
}

// grow counts a stack that grows where the frames before upTo needed it.
func (v *survey) grow(at *site, one stack, upTo int) {
	at.growing += one.ticks
	program := one.frames[:upTo]
	handler, found := v.handler(program)
	if found {
		at.handled += one.ticks
		at.handlers[handler] += one.ticks
	}
	need := program[upTo-1]
	need.line = 0 // the function's beginning asks for the stack
	at.needs[need] += one.ticks
}

// handler returns the function around which Do could be put: the first of the
// program's own below the entry, or the entry if that alone is its own.
func (v *survey) handler(program []frame) (frame, bool) {
	entry := program[0]
	// grpc-go calls generated code, which decodes the request and then calls what
	// an interceptor can be put around.
	generated := inGRPC(entry)
	for _, f := range program[1:] {
		switch {
		case v.origins.of(f) != yours || keeper([]frame{f}) != "":
		case generated:
			generated = false
		default:
			f.line = 0
			return f, true
		}
	}
	entry.line = 0
	return entry, v.origins.of(entry) == yours
}

func inGRPC(f frame) bool { return strings.HasPrefix(f.name, "google.golang.org/grpc.") }

// keepers are functions, or the packages of functions, with which goroutines begin
// that do more than one task, and what those are called.
var keepers = []struct{ function, name string }{
	{"runtime.main", "the main goroutine"},
	{"example.com/hemlock.", "a worker of hemlock"},
	{"google.golang.org/grpc.(*Server).serverWorker", "a worker of grpc-go, from NumStreamWorkers"},
	{"github.com/panjf2000/ants", "a worker of ants"},
	{"github.com/sourcegraph/conc/pool.", "a worker of conc"},
	{"github.com/gammazero/workerpool.", "a worker of workerpool"},
	{"github.com/alitto/pond", "a worker of pond"},
	{"github.com/bytedance/gopkg/util/gopool.", "a worker of gopool"},
	{"github.com/valyala/fasthttp.(*workerPool).", "a worker of fasthttp"},
}

// keeper returns what keeps the goroutine for further tasks, judged by how its
// stack begins, or "".
func keeper(frames []frame) string {
	const near = 4 // coroutines begin with frames of the runtime and of iter
	for _, f := range frames[:min(near, len(frames))] {
		for _, k := range keepers {
			if strings.HasPrefix(f.name, k.function) {
				return k.name
			}
		}
	}
	return ""
}

// matchStatements finds the go statement of each site. A function literal is
// named after the function around it, and begins where its go statement is
// written.
func (v *survey) matchStatements() {
	for statement, ticks := range v.statements {
		if at := v.started(statement); at != nil {
			at.starting += ticks
			at.statements[statement] += ticks
		}
	}
}

// started returns the site whose goroutines the statement starts, or nil if
// that is not certain.
func (v *survey) started(statement frame) *site {
	var inside []*site
	for _, at := range v.sites {
		if rest, found := strings.CutPrefix(at.entry.name, statement.name+"."); !found || strings.Count(rest, ".") > 0 {
			continue
		}
		if at.entry.file == statement.file && at.entry.start == statement.line {
			return at
		}
		inside = append(inside, at)
	}
	if len(inside) == 1 {
		return inside[0]
	}
	return nil
}
