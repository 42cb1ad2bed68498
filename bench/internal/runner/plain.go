package runner

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
