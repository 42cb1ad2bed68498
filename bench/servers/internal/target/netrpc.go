package target

import (
	"bufio"
	"context"
	"encoding/gob"
	"io"
	"net"
	"net/rpc"
	"sync"
)

// netrpcTarget is the standard library's net/rpc. Its ServeConn starts each
// call by itself, which is the mode "lib". Its ServeRequest serves one call on
// the goroutine that it is called on, reading included. So a task is a call, and
// a task that has read its call starts the task of the next.
var netrpcTarget = Target{
	Name:   "net/rpc",
	Modes:  []string{"go", "pool", "lib"},
	Shared: true,
	Serve:  serveNetRPC,
	Dial:   dialNetRPC,
}

// A NetRPCService has the method that net/rpc looks for.
type NetRPCService struct{ answer func([]byte) []byte }

// Ask answers the question.
func (s NetRPCService) Ask(question, answer *Message) error {
	answer.Body = s.answer(question.Body)
	return nil
}

func serveNetRPC(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	server := rpc.NewServer()
	if err := server.RegisterName("Service", NetRPCService{answer}); err != nil {
		return Endpoint{}, nil, err
	}
	return acceptTCP(func(conn net.Conn) {
		if way.Run == nil {
			server.ServeConn(conn)
			return
		}
		newRPCConn(conn, server, way.Run).next()
	})
}

// An rpcConn is a connection with calls under way.
type rpcConn struct {
	// Immutable after newRPCConn.
	conn   net.Conn
	server *rpc.Server
	run    Run

	// The task that reads has it to itself.
	in *gob.Decoder

	// The lock keeps the two parts of an answer together.
	answers sync.Mutex
	out     *gob.Encoder
	buffer  *bufio.Writer
}

func newRPCConn(conn net.Conn, server *rpc.Server, run Run) *rpcConn {
	buffer := bufio.NewWriter(conn)
	return &rpcConn{
		conn: conn, server: server, run: run,
		in:  gob.NewDecoder(bufio.NewReader(conn)),
		out: gob.NewEncoder(buffer), buffer: buffer,
	}
}

// next starts the task of the next call.
func (c *rpcConn) next() {
	c.run(func() {
		call := &rpcCall{rpcConn: c}
		_ = c.server.ServeRequest(call) // the client has the error of a call
		if !call.read {
			_ = c.conn.Close() // no task reads on
		}
	})
}

// An rpcCall is the codec of one call.
type rpcCall struct {
	*rpcConn
	read bool // the next call has its task already
}

// ReadRequestHeader implements [rpc.ServerCodec].
func (c *rpcCall) ReadRequestHeader(header *rpc.Request) error { return c.in.Decode(header) }

// ReadRequestBody implements [rpc.ServerCodec]. A call reads nothing after its body.
func (c *rpcCall) ReadRequestBody(body any) error {
	err := c.in.Decode(body)
	if err == nil {
		c.read = true
		c.next()
	}
	return err
}

// WriteResponse implements [rpc.ServerCodec].
func (c *rpcCall) WriteResponse(header *rpc.Response, body any) error {
	c.answers.Lock()
	defer c.answers.Unlock()
	if err := c.out.Encode(header); err != nil {
		return err
	}
	if err := c.out.Encode(body); err != nil {
		return err
	}
	return c.buffer.Flush()
}

// Close implements [rpc.ServerCodec].
func (c *rpcCall) Close() error { return c.conn.Close() }

type netrpcClient struct{ *rpc.Client }

func dialNetRPC(to Endpoint) (Client, error) {
	client, err := rpc.Dial("tcp", to.Address)
	if err != nil {
		return nil, err
	}
	return netrpcClient{client}, nil
}

// Call implements [Client].
func (c netrpcClient) Call(ctx context.Context, question []byte) ([]byte, error) {
	var answer Message
	call := c.Go("Service.Ask", &Message{question}, &answer, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return answer.Body, call.Error
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
