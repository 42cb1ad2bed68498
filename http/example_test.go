package hemlockhttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/hemlock"
	hemlockhttp "example.com/hemlock/http"
)

// get prints what the server answers.
func get(url string) {
	answer, err := http.Get(url)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	fmt.Printf("%s: %s %v\n", answer.Status, body, err)
}

// A search for everything runs until the context of its request ends.
func ExampleTimeoutHandler() {
	pool := hemlock.New()
	search := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("q") == "everything" {
			<-r.Context().Done()
			return
		}
		fmt.Fprint(w, "found")
	})
	limited := hemlockhttp.TimeoutHandler(pool, search, time.Minute, "")
	hurried := hemlockhttp.TimeoutHandler(pool, search, 20*time.Millisecond, "too slow")

	mux := http.NewServeMux()
	mux.Handle("/search", limited)
	mux.Handle("/hurry", hurried)
	server := httptest.NewServer(mux)
	get(server.URL + "/search?q=hemlock")
	get(server.URL + "/hurry?q=everything")
	server.Close()
	fmt.Println(pool.Shutdown(context.Background()), pool.Stats().Completed)
	// Output:
	// 200 OK: found <nil>
	// 503 Service Unavailable: too slow <nil>
	// <nil> 2
}

// Each request of an HTTP/2 server is a goroutine of its own. The whole mux runs on
// workers of the pool.
func ExampleHandler() {
	pool := hemlock.New()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "hello ", r.PathValue("name"))
	})
	server := httptest.NewServer(hemlockhttp.Handler(pool, mux))
	get(server.URL + "/hello/gopher")
	server.Close()
	fmt.Println(pool.Shutdown(context.Background()), pool.Stats().Completed)
	// Output:
	// 200 OK: hello gopher <nil>
	// <nil> 1
}
