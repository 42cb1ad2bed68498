// Package plugs runs the servers of other libraries on a [hemlock.Pool]. Each file is
// one plug: the few lines that go where a library would start a goroutine. Where one
// line does, README.md has it.
//
// The plugs for libraries hand tasks over with [hemlock.Pool.Run], because the
// go statement that they replace cannot fail either: a request that arrives
// after the pool's Shutdown is served on an ordinary goroutine. [Serve], which
// owns its accept loop, uses [hemlock.Pool.Submit] and refuses instead.
//
// A pool bounds nothing. Where a library limits the requests that it handles at
// once, the limit stays; where it does not, bound the connections.
package plugs
