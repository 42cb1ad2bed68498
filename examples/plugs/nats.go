package plugs

import (
	"example.com/hemlock"
	"github.com/nats-io/nats.go"
)

// NATSHandler runs handler on each message as one task of the pool. The hook is
// the callback of (*nats.Conn).Subscribe: (*Conn).waitForMsgs in nats.go calls
// it for one message of a subscription after the other, and takes the next one
// when it returns.
//
// The messages of a subscription are then handled at the same time, in any
// order, and what nats.go does after a callback happens while its message is
// still being handled:
//   - Drain of a subscription waits for the callbacks, not for their tasks:
//     drain it, shut the pool down, and only then close the connection that the
//     answers take.
//   - The limits on pending messages and bytes do not see the tasks, so nothing
//     tells when the handler falls behind.
//   - JetStream acknowledges a message at once, unless its subscription has the
//     option nats.ManualAck and handler acknowledges (js.go, subscribe).
func NATSHandler(pool *hemlock.Pool, handler nats.MsgHandler) nats.MsgHandler {
	return func(msg *nats.Msg) {
		pool.Run(func() { handler(msg) })
	}
}
