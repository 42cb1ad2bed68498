// Package target holds the servers that are measured: small ones made with
// real libraries, and a client for each. A server is given what starts its
// requests, so the same server runs on a go statement and on a pool.
package target

import (
	"context"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc"

	"example.com/hemlock"
)

// Run starts a task and returns at once. A server whose Run is nil starts its
// requests the way its library does by itself.
type Run = func(task func())

// A Way is what a mode gives to a server: what starts its requests, options, or a pool
// for a middleware. A server uses one of them.
type Way struct {
	Run  Run
	GRPC []grpc.ServerOption
	Pool *hemlock.Pool // for the middleware of net/http; nil: none
}

// An Endpoint says how to reach a server.
type Endpoint struct {
	Address string `json:"address"`

	// Certificate is what a client has to trust, in DER; nil without TLS.
	Certificate []byte `json:"certificate,omitempty"`
}

// A Client is a connection to a server.
type Client interface {
	// Call sends a question and returns its answer. It gives up when ctx ends.
	Call(ctx context.Context, question []byte) (answer []byte, err error)
	io.Closer
}

// A Target is one server. Adding one takes a file like those beside this one,
// and a line in [All].
type Target struct {
	Name   string
	Module string // whose version the report names; empty for the standard library

	// Modes are those measured unless the user names others.
	Modes []string

	// Shared says that the calls of many callers share a connection. Otherwise
	// each caller has a client of its own.
	Shared bool

	// Within says that the library starts its requests by itself, so it is compared
	// only in the modes for such servers.
	Within bool

	// Serve starts the server on loopback. It runs each request as one task,
	// which sends back what answer returns.
	Serve func(way Way, answer func(question []byte) []byte) (Endpoint, io.Closer, error)

	// Dial returns a client. Unless the target is Shared, it is for one caller.
	Dial func(Endpoint) (Client, error)
}

// All returns the targets in the order in which they are reported.
func All() []Target {
	return []Target{netrpcTarget, http3Target, dnsTarget, rpcxTarget, jsonrpc2Target, http1Target, http2Target, http1TimeoutTarget, http2TimeoutTarget, grpcTarget, grpcStreamTarget}
}

// Find returns the target of that name.
func Find(name string) (Target, error) {
	var names []string
	for _, t := range All() {
		if t.Name == name {
			return t, nil
		}
		names = append(names, t.Name)
	}
	return Target{}, fmt.Errorf("no target %q: want %s", name, strings.Join(names, ", "))
}

// loopback is where every server listens, on a port that the system chooses.
const loopback = "127.0.0.1:0"

// closers closes its functions in turn.
type closers []func() error

// Close returns the first error.
func (c closers) Close() error {
	var first error
	for _, stop := range c {
		if err := stop(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
