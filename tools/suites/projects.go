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

func init() {
	projects = append(projects, []project{
	{
		name: "x/sync", module: "golang.org/x/sync", version: "v0.24.0", packages: []string{"./errgroup"},
		edits: []edit{{file: "errgroup/errgroup.go"}},
	},
	{
		name: "miekg/dns", module: "github.com/miekg/dns", version: "v1.1.73", packages: []string{"."},
		edits: []edit{{file: "server.go"}, {file: "xfr.go"}},
	},
	{
		name: "ants", module: "github.com/panjf2000/ants/v2", version: "v2.12.1", packages: []string{"."},
		edits: []edit{{file: "worker.go"},{file: "worker_func.go"},{file: "worker_func_generic.go"},{file: "ants.go"}},
	},
	{
		name: "go-zero", module: "github.com/zeromicro/go-zero", version: "v1.10.3", packages: []string{"./rest/handler"},
		edits: []edit{{file: "rest/handler/timeouthandler.go"}},
	},
	{
		name: "netpoll", module: "github.com/cloudwego/netpoll", version: "v0.7.2", packages: []string{"./..."},
		edits: []edit{{file: "internal/runner/runner.go", old: "RunTask = bgopool.CtxGo", new: "RunTask = func(_ context.Context, f func()) { hemlockRun(f) }"}},
	},
	{
		name: "quic-go", module: "github.com/quic-go/quic-go", version: "v0.65.0", packages: []string{"./http3"},
		edits: []edit{{file: "http3/server.go"},{file: "http3/conn.go"},{file: "http3/client.go"},{file: "http3/transport.go"}},
	},
	{
		name: "gqlgen", module: "github.com/99designs/gqlgen", version: "v0.17.98", packages: []string{"./graphql/..."},
		edits: []edit{{file: "graphql/slice.go"},{file: "graphql/fieldset.go"},{file: "graphql/execution_context_state.go"}},
	},
	{
		name: "dskit", module: "github.com/grafana/dskit", version: "v0.0.0-20260703122047-de1ec7541c44", packages: []string{"./ring"},
		edits: []edit{{file: "ring/batch.go"}, {file: "ring/replication_set.go"}},
	},
	{
		name: "net/http", packages: []string{"net/http"},
		edits: []edit{{file: "net/http/server.go"},{file: "net/http/h2_bundle.go"}},
	},
	}...)
}
