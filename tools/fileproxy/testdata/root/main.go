package main

import (
	"context"
	"errors"
	"log"
	"sync/atomic"

	"example.com/hemlock"
	"example.com/hemlock/group"
)

func main() {
	ctx := context.Background()
	pool := hemlock.New(hemlock.WithMinWorkers(1))
	var ran atomic.Int32
	pool.Run(func() { ran.Add(1) })
	if err := pool.Submit(func() { ran.Add(1) }); err != nil {
		log.Fatal(err)
	}

	refused := errors.New("refused")
	g, _ := group.WithContext(ctx, pool)
	g.Go(func() error { ran.Add(1); return refused })
	if err := g.Wait(); !errors.Is(err, refused) {
		log.Fatalf("the group returned %v", err)
	}

	if err := pool.Shutdown(ctx); err != nil {
		log.Fatal(err)
	}
	if err := pool.Submit(func() {}); !errors.Is(err, hemlock.ErrClosed) {
		log.Fatalf("after Shutdown Submit returned %v", err)
	}
	if done := pool.Stats().Completed; done != 3 || ran.Load() != 3 {
		log.Fatalf("%d tasks completed and %d ran, of 3", done, ran.Load())
	}
}
