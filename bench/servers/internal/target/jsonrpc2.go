package target

import (
	"context"
	"encoding/json"
	"io"
	"net"

	"github.com/sourcegraph/jsonrpc2"
)

// jsonrpc2Target is sourcegraph/jsonrpc2, which many language servers use. Its
// AsyncHandler in async.go starts a goroutine for each request. [asyncHandler] calls
// run instead, so a task is a request.
var jsonrpc2Target = Target{
	Name:   "jsonrpc2",
	Module: "github.com/sourcegraph/jsonrpc2",
	Modes:  []string{"go", "pool"},
	Shared: true,
	Serve:  serveJSONRPC2,
	Dial:   dialJSONRPC2,
}

type asyncHandler struct {
	jsonrpc2.Handler
	run Run
}

// Handle implements [jsonrpc2.Handler].
func (h asyncHandler) Handle(ctx context.Context, conn *jsonrpc2.Conn, request *jsonrpc2.Request) {
	h.run(func() { h.Handler.Handle(ctx, conn, request) })
}

func serveJSONRPC2(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	handle := func(_ context.Context, _ *jsonrpc2.Conn, request *jsonrpc2.Request) (any, error) {
		if request.Params == nil {
			return nil, &jsonrpc2.Error{Code: jsonrpc2.CodeInvalidParams, Message: "no question"}
		}
		var question Message
		if err := json.Unmarshal(*request.Params, &question); err != nil {
			return nil, err
		}
		return Message{answer(question.Body)}, nil
	}
	var handler jsonrpc2.Handler = jsonrpc2.HandlerWithError(handle)
	if way.Run == nil {
		handler = jsonrpc2.AsyncHandler(handler)
	} else {
		handler = asyncHandler{Handler: handler, run: way.Run}
	}
	return acceptTCP(func(conn net.Conn) {
		<-jsonrpc2.NewConn(context.Background(), objects(conn), handler).DisconnectNotify()
	})
}

func objects(conn net.Conn) jsonrpc2.ObjectStream {
	return jsonrpc2.NewBufferedStream(conn, jsonrpc2.VSCodeObjectCodec{})
}

type jsonrpc2Client struct{ *jsonrpc2.Conn }

func dialJSONRPC2(to Endpoint) (Client, error) {
	conn, err := net.Dial("tcp", to.Address)
	if err != nil {
		return nil, err
	}
	return jsonrpc2Client{jsonrpc2.NewConn(context.Background(), objects(conn), nil)}, nil
}

// Call implements [Client].
func (c jsonrpc2Client) Call(ctx context.Context, question []byte) ([]byte, error) {
	var answer Message
	err := c.Conn.Call(ctx, "ask", Message{question}, &answer)
	return answer.Body, err
}
