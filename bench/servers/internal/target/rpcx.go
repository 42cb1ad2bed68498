package target

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/smallnest/rpcx/client"
	"github.com/smallnest/rpcx/log"
	"github.com/smallnest/rpcx/server"
)

// rpcxTarget is smallnest/rpcx, whose server takes a pool as an option; see
// WithCustomPool in server/option.go. A task is a request.
var rpcxTarget = Target{
	Name:   "rpcx",
	Module: "github.com/smallnest/rpcx",
	Modes:  []string{"go", "pool", "pond"},
	Shared: true,
	Serve:  serveRPCX,
	Dial:   dialRPCX,
}

func init() { log.SetDummyLogger() } // the library logs every connection that ends

// rpcxPool makes a [Run] a [server.WorkerPool]. The server stops its pool in
// Close; what this one runs on ends with the process.
type rpcxPool struct{ run Run }

func (p rpcxPool) Submit(task func())         { p.run(task) }
func (rpcxPool) StopAndWaitFor(time.Duration) {}
func (rpcxPool) Stop() context.Context        { return context.Background() }
func (rpcxPool) StopAndWait()                 {}

// An RPCXService has the method that rpcx looks for.
type RPCXService struct{ answer func([]byte) []byte }

// Ask answers the question.
func (s *RPCXService) Ask(_ context.Context, question, answer *Message) error {
	answer.Body = s.answer(question.Body)
	return nil
}

func serveRPCX(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	var options []server.OptionFn
	if way.Run != nil {
		options = append(options, server.WithCustomPool(rpcxPool{way.Run}))
	}
	s := server.NewServer(options...)
	s.DisableHTTPGateway, s.DisableJSONRPC = true, true
	if err := s.RegisterName("Service", &RPCXService{answer}, ""); err != nil {
		return Endpoint{}, nil, err
	}
	ln, err := net.Listen("tcp", loopback)
	if err != nil {
		return Endpoint{}, nil, err
	}
	go func() { _ = s.ServeListener("tcp", ln) }() // until the server is closed
	<-s.Started
	return Endpoint{Address: ln.Addr().String()}, closers{s.Close}, nil
}

type rpcxClient struct{ *client.Client }

func dialRPCX(to Endpoint) (Client, error) {
	c := client.NewClient(client.DefaultOption)
	if err := c.Connect("tcp", to.Address); err != nil {
		return nil, err
	}
	return rpcxClient{c}, nil
}

// Call implements [Client]. The library's own Call has a data race when its ctx
// ends: it reads a number that the sender may be writing.
func (c rpcxClient) Call(ctx context.Context, question []byte) ([]byte, error) {
	var answer Message
	call := c.Go(ctx, "Service", "Ask", &Message{question}, &answer, make(chan *client.Call, 1))
	select {
	case <-call.Done:
		return answer.Body, call.Error
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
