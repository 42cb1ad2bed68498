package page_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
)

func Example() {
	options := page.Defaults()
	options.MinWorkers = 16
	pool := hemlock.New(hemlock.WithMinWorkers(options.MinWorkers))

	pages, err := page.Handler(page.Pool{Name: "dns", Pool: pool, Options: &options})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go pages.Sample(ctx) // optional: the ten minutes before the page is opened

	mux := http.NewServeMux()
	mux.Handle("/debug/hemlock", pages)
	server := httptest.NewServer(mux) // in a program: http.ListenAndServe on a loopback address
	defer server.Close()

	answer, err := http.Get(server.URL + "/debug/hemlock")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	fmt.Println(answer.Status, answer.Header.Get("Content-Type"))
	// Output: 200 OK text/html; charset=utf-8
}

func ExamplePage_Allow() {
	pages, err := page.Handler(page.Pool{Name: "dns", Pool: hemlock.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	ask := func(host string) int {
		r := httptest.NewRequest("GET", "http://"+host+"/debug/hemlock", nil)
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		return w.Code
	}
	fmt.Println(ask("127.0.0.1:8080"), ask("ns1.internal:8080"))
	pages.Allow("ns1.internal")
	fmt.Println(ask("127.0.0.1:8080"), ask("ns1.internal:8080"))
	// Output:
	// 200 403
	// 200 200
}

func ExampleDefaults() {
	options := page.Defaults()
	options.KillDelay = time.Minute
	fmt.Println(options.KillInterval, options.KillDelay, options.MinWorkers)
	// Output: 1s 1m0s 0
}
