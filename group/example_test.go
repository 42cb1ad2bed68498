package group_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing/fstest"

	"example.com/hemlock"
	"example.com/hemlock/group"
)

// A fan-out in three lines: the group, a task for each part, and Wait. Each task
// writes a result of its own, so they need no lock; with errgroup the first line
// reads errgroup.WithContext(ctx).
func Example() {
	pool := hemlock.New()
	queries := []string{"web", "image", "video"}
	results := make([]string, len(queries))

	g, ctx := group.WithContext(context.Background(), pool)
	for i, query := range queries {
		g.Go(func() (err error) { results[i], err = search(ctx, query); return err })
	}
	err := g.Wait()

	fmt.Println(strings.Join(results, ", "), err)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// web result, image result, video result <nil>
	// <nil>
}

func search(ctx context.Context, query string) (string, error) {
	return query + " result", ctx.Err()
}

// The first error is what Wait returns, and it ends the context of the others.
func ExampleWithContext() {
	pool := hemlock.New()
	g, ctx := group.WithContext(context.Background(), pool)
	g.Go(func() error { return errors.New("no such video") })
	g.Go(func() error {
		<-ctx.Done() // as a request to a backend would
		return ctx.Err()
	})
	fmt.Println(g.Wait())
	fmt.Println(ctx.Err(), "because of:", context.Cause(ctx))
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// no such video
	// context canceled because of: no such video
	// <nil>
}

// The pool has no bound, so a request that must not flood a backend has a limit
// of its own.
func ExampleGroup_SetLimit() {
	pool := hemlock.New()
	g := group.New(pool)
	g.SetLimit(2)
	release := make(chan struct{})
	wait := func() error { <-release; return nil }
	fmt.Println(g.TryGo(wait), g.TryGo(wait), g.TryGo(wait))
	close(release)
	for range 100 {
		g.Go(wait) // blocks while two are active
	}
	fmt.Println(g.Wait(), pool.Stats().Submitted)
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// true true false
	// <nil> 102
	// <nil>
}

// With a panic handler the process survives a panic, and Wait says that a part is
// missing.
func ExampleGroup_Wait_panic() {
	pool := hemlock.New(hemlock.WithPanicHandler(func(v any, stack []byte) {
		fmt.Println("a task panicked:", v)
	}))
	g := group.New(pool)
	g.Go(func() error { panic("out of cheese") })
	err := g.Wait()
	_ = pool.Shutdown(context.Background()) // waits for the handler
	fmt.Println(err)
	// Output:
	// a task panicked: out of cheese
	// hemlock/group: a task did not return: it panicked or called runtime.Goexit
}

// A pipeline: one task walks a file tree, a few hash what it finds, and one
// closes the results when all of them have ended.
func ExampleGroup_pipeline() {
	pool := hemlock.New()
	files := fstest.MapFS{
		"a.txt":     {Data: []byte("hemlock")},
		"b/c.txt":   {Data: []byte("yew")},
		"b/d/e.txt": {Data: []byte("oleander")},
	}
	sums, err := hashAll(context.Background(), pool, files)
	fmt.Println(len(sums), err)
	fmt.Printf("%.4x\n", sums["b/c.txt"])
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// 3 <nil>
	// 6d12f211
	// <nil>
}

func hashAll(ctx context.Context, pool *hemlock.Pool, files fs.FS) (map[string][sha256.Size]byte, error) {
	type result struct {
		path string
		sum  [sha256.Size]byte
	}
	g, ctx := group.WithContext(ctx, pool)
	paths, results := make(chan string), make(chan result)
	g.Go(func() error {
		defer close(paths)
		return fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			select {
			case paths <- path:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	for range 4 {
		g.Go(func() error {
			for path := range paths {
				data, err := fs.ReadFile(files, path)
				if err != nil {
					return err
				}
				select {
				case results <- result{path, sha256.Sum256(data)}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
	}
	pool.Run(func() {
		_ = g.Wait()
		close(results)
	})
	sums := map[string][sha256.Size]byte{}
	for r := range results {
		sums[r.path] = r.sum
	}
	return sums, g.Wait()
}
