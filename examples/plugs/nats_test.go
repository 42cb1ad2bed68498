package plugs_test

import (
	"context"
	"testing"
	"time"

	"example.com/hemlock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// natsBroker returns a server in this process.
func natsBroker(t *testing.T) *server.Server {
	t.Helper()
	broker, err := server.NewServer(&server.Options{
		Host:   "127.0.0.1",
		Port:   server.RANDOM_PORT, // its 0 means 4222
		NoLog:  true,
		NoSigs: true,
	})
	require.NoError(t, err)
	broker.Start()
	t.Cleanup(func() {
		broker.Shutdown()
		broker.WaitForShutdown()
	})
	require.True(t, broker.ReadyForConnections(time.Minute))
	return broker
}

// natsConn returns a connection that is closed before the test ends.
func natsConn(t *testing.T, broker *server.Server) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(broker.ClientURL(), nats.NoReconnect())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	return conn
}

// drain ends a subscription after its last callback has returned.
func drain(t *testing.T, sub *nats.Subscription) {
	t.Helper()
	done := make(chan struct{})
	sub.SetClosedHandler(func(string) { close(done) })
	require.NoError(t, sub.Drain())
	select {
	case <-done:
	case <-withTimeout(t).Done():
		require.Fail(t, "a callback of the subscription did not return")
	}
}

// respond subscribes with the line of the README.
func respond(t *testing.T, broker *server.Server, pool *hemlock.Pool, handle nats.MsgHandler) (*nats.Conn, *nats.Subscription) {
	t.Helper()
	conn := natsConn(t, broker)
	sub, err := conn.Subscribe("answer", func(msg *nats.Msg) { pool.Run(func() { handle(msg) }) })
	require.NoError(t, err)
	require.NoError(t, conn.Flush()) // the server knows the subscription
	return conn, sub
}

func startNATS(t *testing.T, pool *hemlock.Pool, capitals *service) (ask call, stop func()) {
	broker := natsBroker(t)
	_, sub := respond(t, broker, pool, func(msg *nats.Msg) {
		_ = msg.Respond([]byte(capitals.answer(string(msg.Data)))) // a lost answer fails the call
	})
	conns := connect(func() *nats.Conn { return natsConn(t, broker) })
	ask = func(ctx context.Context, client int, request string) (string, error) {
		msg, err := conns[client].RequestWithContext(ctx, "answer", []byte(request))
		if err != nil {
			return "", err
		}
		return string(msg.Data), nil
	}
	return ask, func() { drain(t, sub) }
}

// The order that the README asks for loses no answer: a message that is being handled
// while its subscription is drained is still answered.
func TestNATSAnswersWhileASubscriptionDrains(t *testing.T) {
	pool, broker := hemlock.New(), natsBroker(t)
	handling, drained := make(chan struct{}), make(chan struct{})
	responder, sub := respond(t, broker, pool, func(msg *nats.Msg) {
		close(handling)
		<-drained
		_ = msg.Respond([]byte("late"))
	})
	asker := natsConn(t, broker)
	answer := make(chan string, 1)
	wait := start(func() error {
		msg, err := asker.RequestWithContext(withTimeout(t), "answer", nil)
		if err == nil {
			answer <- string(msg.Data)
		}
		return err
	})

	<-handling
	drain(t, sub)
	close(drained)
	requireDrained(t, pool, 1)
	require.NoError(t, responder.Drain())

	require.NoError(t, wait())
	require.Equal(t, "late", <-answer)
}
