package main

// A project is a library, and how its suite is run.
type project struct {
	name            string
	module, version string   // none: it is in the standard library
	packages        []string // as go test takes them, in the folder of the module
	run             string   // as go test takes it, if not all; the note says why
	skip            []string // names of tests
	why             string   // they are skipped
	edits           []edit
	note            string // what the row does not show
}

// goStatements returns the edits that make tasks of all go statements of the files.
func goStatements(files ...string) (edits []edit) {
	for _, file := range files {
		edits = append(edits, edit{file: file})
	}
	return edits
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
		note: "CtxGo, which all go through; a task recovers, as it does there, and the cap has no effect",
	},
	{
		name: "netpoll", module: "github.com/cloudwego/netpoll", version: "v0.7.2", packages: []string{"./..."},
		edits: []edit{{
			file: "internal/runner/runner.go",
			old:  "RunTask = bgopool.CtxGo",
			new:  "RunTask = func(_ context.Context, f func()) { hemlockRun(f) }",
		}},
		note: "the runner, which is gopool otherwise",
	},
	{
		name: "ants", module: "github.com/panjf2000/ants/v2", version: "v2.12.1", packages: []string{"."},
		skip: []string{
			"TestAntsPoolWaitToGetWorker", "TestAntsPoolWaitToGetWorkerPreMalloc",
			"TestAntsPoolWithFuncWaitToGetWorker", "TestAntsPoolWithFuncWaitToGetWorkerPreMalloc",
			"TestAntsPoolWithFuncGenericWaitToGetWorker", "TestAntsPoolWithFuncGenericWaitToGetWorkerPreMalloc",
		},
		why:   "they sleep for ten seconds each",
		edits: goStatements("ants.go", "worker.go", "worker_func.go", "worker_func_generic.go"),
		note:  "its workers and its two housekeepers are tasks; ants keeps its queue and its bound",
	},
	{
		name: "conc", module: "github.com/sourcegraph/conc", version: "v0.3.0", packages: []string{"./..."},
		edits: goStatements("waitgroup.go"),
		note:  "WaitGroup, which its pools, streams and iterators start their goroutines with",
	},
	{
		name: "errgroup", module: "golang.org/x/sync", version: "v0.24.0", packages: []string{"./errgroup"},
		edits: goStatements("errgroup/errgroup.go"),
		note:  "Go and TryGo",
	},
	{
		name: "miekg/dns", module: "github.com/miekg/dns", version: "v1.1.73", packages: []string{"."},
		edits: goStatements("server.go", "xfr.go"),
		note:  "TCP connections and UDP packets of the server, and transfers of the client",
	},
	{
		name: "quic-go http3", module: "github.com/quic-go/quic-go", version: "v0.65.0", packages: []string{"./http3"},
		edits: goStatements("http3/server.go", "http3/conn.go", "http3/client.go", "http3/transport.go"),
		note:  "the server's connections, streams and requests, and the client's streams",
	},
	{
		name: "go-zero", module: "github.com/zeromicro/go-zero", version: "v1.10.3", packages: []string{"./rest/handler"},
		edits: goStatements("rest/handler/timeouthandler.go"),
		note:  "the handler with a timeout",
	},
	{
		name: "gqlgen", module: "github.com/99designs/gqlgen", version: "v0.17.98", packages: []string{"./graphql/..."},
		skip: []string{"TestFieldSetView"}, why: bubble,
		edits: goStatements("graphql/slice.go", "graphql/fieldset.go", "graphql/execution_context_state.go"),
		note:  "fields, and elements of lists",
	},
	{
		name: "dskit ring", module: "github.com/grafana/dskit", version: "v0.0.0-20260703122047-de1ec7541c44", packages: []string{"./ring"},
		edits: append(goStatements("ring/replication_set.go"), edit{
			file: "ring/batch.go",
			old:  "o.Go = func(f func()) { go f() }",
			new:  "o.Go = hemlockRun",
		}),
		run:  "Batch|ReplicationSet|UntilQuorum|Tracker",
		note: "DoBatch, where it is given no Go, and the requests of a replication set; the tests of others, which take minutes, do not run",
	},
	{
		name: "net/http", packages: []string{"net/http"},
		skip: []string{
			"TestClientConnReserveAll", "TestClientConnReserveAndConsume", "TestClientConnReserveParallel",
			"TestClientConnReserveRelease", "TestClientConnRoundTripBlocks", "TestNewClientServerTest",
			"TestRequestWriteTransport", "TestServerReadHeaderTimeoutIsCleared", "TestServerShutdownStateNew",
			"TestServerUnencryptedHTTP2HeaderTimeout", "TestTransportIdleConnRacesRequest",
			"TestTransportPoolCancelRequestReusesConn", "TestTransportPoolCancelRequestWithDisableKeepAlives",
			"TestTransportPoolClosesConnsPastMaxIdleConnsPerHost", "TestTransportPoolConnCannotReuseConnectionInUse",
			"TestTransportPoolConnConnectionBecomesAvailableDuringDial", "TestTransportPoolConnHTTP2NoStrictMaxConcurrentRequests",
			"TestTransportPoolConnHTTP2Startup", "TestTransportPoolConnHTTP2StrictMaxConcurrentRequests",
			"TestTransportPoolConnReusePriorConnection", "TestTransportPoolConnectionBroken", "TestTransportPoolDisableKeepAlives",
			"TestTransportPoolMaxIdleConnsPerHostHTTP2", "TestTransportRemovesConnsAfterBroken", "TestTransportRemovesConnsAfterIdle",
		},
		why:   bubble,
		edits: goStatements("net/http/server.go", "net/http/h2_bundle.go"),
		note:  "connections, the background read, TimeoutHandler, and all of HTTP/2, its client too",
	},
}

const bubble = "in a bubble of testing/synctest a pool that was made outside of it panics"
