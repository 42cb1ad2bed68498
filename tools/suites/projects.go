package main

// A project is a library, and how its suite is run.
type project struct {
	name            string
	module, version string   // none: it is in the standard library
	packages        []string // as go test takes them, in the folder of the module
	run, skip       string   // as go test takes them; the note says why
	args            []string // more of them
	edits           []edit
	note            string // what the suite does not show
}

var projects = []project{
	{
		name: "gopool", module: "github.com/bytedance/gopkg", version: "v0.1.4", packages: []string{"./util/gopool"},
		edits: []edit{{
			file: "util/gopool/pool.go",
			old:  "func (p *pool) CtxGo(ctx context.Context, f func()) {\n",
			new: `func (p *pool) CtxGo(ctx context.Context, f func()) {
				hemlockRun(func() {
					defer func() {
						if r := recover(); r != nil && p.panicHandler != nil {
							p.panicHandler(ctx, r)
						}
					}()
					f()
				})
				return
			`,
		}},
		note: "a task recovers, as there; the cap is without effect.",
	},
	{
		name: "conc", module: "github.com/sourcegraph/conc", version: "v0.3.0", packages: []string{"./..."},
		edits: []edit{{file: "waitgroup.go"}},
		note:  "WaitGroup, below pools, streams and iterators.",
	},
}
