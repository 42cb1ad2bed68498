package main

import (
	"context"
	"log"
	"net/http/httptest"
	"strings"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
)

func main() {
	options := page.Defaults()
	pool := hemlock.New()
	pages, err := page.Handler(page.Pool{Name: "fresh", Pool: pool, Options: &options})
	if err != nil {
		log.Fatal(err)
	}
	answer := httptest.NewRecorder()
	pages.ServeHTTP(answer, httptest.NewRequest("GET", "http://127.0.0.1/debug/hemlock", nil))
	if answer.Code != 200 || !strings.Contains(answer.Body.String(), "fresh") {
		log.Fatalf("the page answered %d: %s", answer.Code, answer.Body)
	}
	if err := pool.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
}
