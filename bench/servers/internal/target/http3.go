package target

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// http3Target is quic-go's HTTP/3. A program may accept the streams of a
// connection itself and serve each with HandleRequestStream in
// http3/server_conn.go, so a task is a request.
var http3Target = Target{
	Name:   "http3",
	Module: "github.com/quic-go/quic-go",
	Modes:  []string{"go", "pool"},
	Shared: true,
	Serve:  serveHTTP3,
	Dial:   dialHTTP3,
}

// maxStreams is how many requests a client may have under way on a connection.
// The library's default of 100 would bound the callers and not the server.
const maxStreams = 10_000

func init() {
	// The library warns where the kernel does not grant the buffers it wants.
	_ = os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true")
}

func serveHTTP3(way Way, answer func([]byte) []byte) (Endpoint, io.Closer, error) {
	certificate, err := selfSigned()
	if err != nil {
		return Endpoint{}, nil, err
	}
	settings := http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{certificate}})
	ln, err := quic.ListenAddrEarly(loopback, settings, &quic.Config{MaxIncomingStreams: maxStreams})
	if err != nil {
		return Endpoint{}, nil, err
	}
	server := &http3.Server{Handler: handler(answer)}
	if way.Run == nil {
		go func() { _ = server.ServeListener(ln) }() // until ln is closed
	} else {
		go acceptConns(ln, server, way.Run)
	}
	endpoint := Endpoint{Address: ln.Addr().String(), Certificate: certificate.Certificate[0]}
	return endpoint, closers{server.Close, ln.Close}, nil
}

func handler(answer func([]byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(answer(question)) // the client misses it if it fails
	})
}

func acceptConns(ln *quic.EarlyListener, server *http3.Server, run Run) {
	for {
		conn, err := ln.Accept(context.Background())
		if err != nil {
			return
		}
		h3, err := server.NewRawServerConn(conn)
		if err != nil {
			_ = conn.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeInternalError), err.Error())
			continue
		}
		go acceptUniStreams(conn, h3)
		go acceptRequests(conn, h3, run)
	}
}

func acceptRequests(conn *quic.Conn, h3 *http3.RawServerConn, run Run) {
	for {
		stream, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		run(func() { h3.HandleRequestStream(stream) })
	}
}

// acceptUniStreams serves the client's control and QPACK streams, which live as
// long as the connection: they are no tasks.
func acceptUniStreams(conn *quic.Conn, h3 *http3.RawServerConn) {
	for {
		stream, err := conn.AcceptUniStream(context.Background())
		if err != nil {
			return
		}
		go h3.HandleUnidirectionalStream(stream)
	}
}

// selfSigned returns a certificate for loopback.
func selfSigned() (tls.Certificate, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, private)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, err
}

// An http3Client is an [httpClient] whose transport closes with it.
type http3Client struct {
	httpClient
	transport *http3.Transport
}

func dialHTTP3(to Endpoint) (Client, error) {
	certificate, err := x509.ParseCertificate(to.Certificate)
	if err != nil {
		return nil, err
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(certificate)
	transport := &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	return http3Client{httpClient{transport, "https://" + to.Address + "/"}, transport}, nil
}

// Close implements [Client].
func (c http3Client) Close() error { return c.transport.Close() }
