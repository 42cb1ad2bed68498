package runner

import "golang.org/x/sync/errgroup"

func goStatement() Runner {
	return Runner{
		Name:     Baseline,
		Settings: "go task()",
		New: func() Pool {
			return Pool{
				Bind:  func(task func()) func() { return func() { go task() } },
				Close: func() {},
			}
		},
	}
}

func errgroupGroup() Runner {
	return Runner{
		Name:     "errgroup",
		Module:   "golang.org/x/sync",
		Settings: "new(errgroup.Group), Go; no limit",
		New: func() Pool {
			g := new(errgroup.Group)
			return Pool{
				Bind: func(task func()) func() {
					fallible := func() error { task(); return nil }
					return func() { g.Go(fallible) }
				},
				Close: func() { within(closeLimit, func() { _ = g.Wait() }) },
			}
		},
	}
}
