package plugs_test

import (
	"context"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/examples/plugs"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"
)

// startNATS returns a server in this process.
func startNATS(t *testing.T) *server.Server {
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

// connect returns a connection that is closed before the test ends.
func connect(t *testing.T, broker *server.Server) *nats.Conn {
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

func TestNATSHandlerRunsEachMessageAsOneTask(t *testing.T) {
	pool, capitals, broker := hemlock.New(), newService(requests), startNATS(t)
	responder := connect(t, broker)
	sub, err := responder.Subscribe("answer", plugs.NATSHandler(pool, func(msg *nats.Msg) {
		_ = msg.Respond([]byte(capitals.answer(string(msg.Data)))) // a lost answer fails the call
	}))
	require.NoError(t, err)
	require.NoError(t, responder.Flush()) // the server knows the subscription
	var conns [clients]*nats.Conn
	for i := range conns {
		conns[i] = connect(t, broker)
	}

	askAll(t, func(ctx context.Context, client int, request string) (string, error) {
		msg, err := conns[client].RequestWithContext(ctx, "answer", []byte(request))
		if err != nil {
			return "", err
		}
		return string(msg.Data), nil
	})

	drain(t, sub)
	require.EqualValues(t, requests, capitals.served.Load())
	requireDrained(t, pool, requests)
}

// The order that the comment of NATSHandler asks for loses no answer: a message
// that is being handled while its subscription is drained is still answered.
func TestNATSHandlerAnswersWhileItsSubscriptionDrains(t *testing.T) {
	pool, broker := hemlock.New(), startNATS(t)
	responder, asker := connect(t, broker), connect(t, broker)
	handling, drained := make(chan struct{}), make(chan struct{})
	sub, err := responder.Subscribe("answer", plugs.NATSHandler(pool, func(msg *nats.Msg) {
		close(handling)
		<-drained
		_ = msg.Respond([]byte("late"))
	}))
	require.NoError(t, err)
	require.NoError(t, responder.Flush())
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
