// Command mutants changes the pool and the handoff, one small change at a time,
// and fails if the tests do not notice:
//
//	go -C internal/tools run ./mutants [-run REGEXP] [-since REF] [-for DURATION] [-list] [-v] [-all]
//
// It runs with GOWORK=off, as make mutants does: the tools are no part of the
// workspace. Most changes are generated from the syntax, see generate.go; those that
// need knowledge of the protocol are listed in protocol.go. What cannot be noticed is
// listed in equivalents.go, each with its reason.
//
// A well-known tool, gremlins v0.6.0, was considered. It changes operators only,
// neither removes a call nor reorders two, and keeps no list of equivalents.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// mutated are the files that are changed, as patterns beside the root.
var mutated = []string{"*.go", "internal/handoff/*.go", "internal/panics/*.go"}

func main() {
	log.SetFlags(0)
	log.SetPrefix("mutants: ")
	var o options
	flag.StringVar(&o.run, "run", "", "take only mutants whose file:function: change matches the `regexp`")
	flag.StringVar(&o.since, "since", "", "take only mutants on lines that differ from those of the git `ref`; nothing if it is missing")
	flag.DurationVar(&o.limit, "for", 0, "begin none after the `duration`, and take them in random order; 0 means all")
	flag.BoolVar(&o.list, "list", false, "list the mutants and run nothing")
	flag.BoolVar(&o.verbose, "v", false, "say of each mutant what killed it")
	flag.BoolVar(&o.all, "all", false, "run those listed as equivalent too, and fail if a test kills one")
	// More than there are processors, because those that hang use none.
	flag.IntVar(&o.parallel, "parallel", runtime.NumCPU()*3/2, "run `n` mutants at once")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	survived, err := o.main(ctx)
	switch {
	case err != nil:
		log.Print(err)
		os.Exit(2)
	case survived:
		os.Exit(1)
	}
}

type options struct {
	run, since         string
	limit              time.Duration
	list, verbose, all bool
	parallel           int
}

// main reports whether a mutant survived.
func (o options) main(ctx context.Context) (survived bool, err error) {
	root, err := findRoot()
	if err != nil {
		return false, err
	}
	mutants, err := generateAll(root)
	if err != nil {
		return false, err
	}
	if err := markEquivalents(mutants); err != nil {
		return false, err
	}
	if mutants, err = o.choose(ctx, root, mutants); err != nil {
		return false, err
	}
	if o.list {
		for _, m := range mutants {
			fmt.Println(m)
		}
		return false, nil
	}
	if len(mutants) == 0 {
		fmt.Println("no mutants to run")
		return false, nil
	}
	return o.examine(ctx, root, mutants)
}

// findRoot returns the directory of the root module, from anywhere in the checkout.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "internal", "handoff")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("not in a checkout of the pool")
		}
	}
}

// generateAll returns the mutants of all files, those of the protocol last.
func generateAll(root string) ([]*mutant, error) {
	var mutants []*mutant
	for _, pattern := range mutated {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			name, err := filepath.Rel(root, file)
			if err != nil {
				return nil, err
			}
			of, err := generate(filepath.ToSlash(name), source)
			if err != nil {
				return nil, err
			}
			mutants = append(mutants, of...)
		}
	}
	for _, c := range protocol {
		source, err := os.ReadFile(filepath.Join(root, c.file))
		if err != nil {
			return nil, err
		}
		m, err := c.mutant(source)
		if err != nil {
			return nil, err
		}
		mutants = append(mutants, m)
	}
	return mutants, nil
}

// choose takes the mutants that the flags ask for.
func (o options) choose(ctx context.Context, root string, mutants []*mutant) ([]*mutant, error) {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return nil, err
	}
	mutants = slices.DeleteFunc(mutants, func(m *mutant) bool { return !pattern.MatchString(m.key()) })
	if o.since == "" {
		return mutants, nil
	}
	if _, err := git(ctx, root, "rev-parse", "--verify", "--quiet", o.since+"^{commit}"); err != nil {
		fmt.Printf("there is no %s in this clone, so nothing is known to have changed\n", o.since)
		return nil, nil
	}
	diff, err := git(ctx, root, "diff", "--unified=0", "--no-color", "--no-ext-diff", o.since, "--", ".")
	if err != nil {
		return nil, err
	}
	changed, err := parseDiff(diff)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(mutants, func(m *mutant) bool { return !changed.touch(m) }), nil
}

// git returns what the command prints.
func git(ctx context.Context, root string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return string(out), nil
}

// examine runs the tests against each mutant, several at once, and reports.
func (o options) examine(ctx context.Context, root string, mutants []*mutant) (survived bool, err error) {
	begin := time.Now()
	lab, err := newLab(root)
	if err != nil {
		return false, err
	}
	defer lab.close()
	counts := map[verdict]int{}
	tried := 0
	var mu sync.Mutex // guards both, and the output
	err = o.each(ctx, mutants, func(ctx context.Context, m *mutant) error {
		v, by, err := o.judge(ctx, lab, m)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		counts[v]++
		tried++
		if o.verbose || v == survives || v == notEquivalent {
			fmt.Printf("%v: %v%s\n", v, m, by)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	fmt.Printf("%d mutants: %d killed, %d equivalent, %d survived, %d do not compile, %d not tried; %v\n",
		len(mutants), counts[killed]+counts[notEquivalent], counts[equivalent], counts[survives], counts[invalid],
		len(mutants)-tried, time.Since(begin).Round(time.Second))
	return counts[survives]+counts[notEquivalent] > 0, nil
}

// each calls do with the mutants, several at once, as long as there is time, until one
// call fails or ctx ends.
func (o options) each(ctx context.Context, mutants []*mutant, do func(context.Context, *mutant) error) error {
	begin := time.Now()
	if o.limit > 0 {
		rand.Shuffle(len(mutants), func(i, j int) { mutants[i], mutants[j] = mutants[j], mutants[i] })
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(1, o.parallel))
	for _, m := range mutants {
		group.Go(func() error {
			if ctx.Err() != nil || o.limit > 0 && time.Since(begin) > o.limit {
				return context.Cause(ctx)
			}
			return do(ctx, m)
		})
	}
	return group.Wait()
}

// judge examines one mutant.
func (o options) judge(ctx context.Context, lab *lab, m *mutant) (v verdict, by string, err error) {
	if m.reason != "" && !o.all {
		return equivalent, ", because " + m.reason, nil
	}
	v, by, err = lab.examine(ctx, m)
	if m.reason != "" && v == survives {
		return equivalent, ", because " + m.reason, err
	}
	if m.reason != "" && v == killed {
		return notEquivalent, by + ", though " + m.reason, err
	}
	return v, by, err
}
