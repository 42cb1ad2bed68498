package runner

import (
	"context"

	"example.com/hemlock"
)

func hemlockPool() Runner {
	return Runner{
		Name:     Subject,
		Package:  "example.com/hemlock",
		Settings: "hemlock.New(), Run; every option at its default (kill interval 1 s, kill delay 10 s)",
		New: func() Pool {
			p := hemlock.New()
			return Pool{
				Bind: func(task func()) func() { return func() { p.Run(task) } },
				Close: func() {
					ctx, cancel := context.WithTimeout(context.Background(), closeLimit)
					defer cancel()
					// A pool that cannot shut down shows in what it leaves behind.
					_ = p.Shutdown(ctx)
				},
			}
		},
	}
}
