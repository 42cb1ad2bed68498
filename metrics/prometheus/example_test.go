package hemlockprom_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"strings"

	"example.com/hemlock"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func Example() {
	pool := hemlock.New()
	reg := prometheus.NewRegistry() // or prometheus.DefaultRegisterer
	if err := hemlockprom.Register(reg, "dns", pool); err != nil {
		fmt.Println(err)
		return
	}
	pool.Run(func() {})
	_ = pool.Shutdown(context.Background())

	page := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(page.Body.String()) {
		if strings.HasPrefix(line, "hemlock_tasks") {
			_, _ = os.Stdout.WriteString(line)
		}
	}
	// Output:
	// hemlock_tasks_completed_total{pool="dns"} 1
	// hemlock_tasks_panicked_total{pool="dns"} 0
	// hemlock_tasks_submitted_total{pool="dns"} 1
	// hemlock_tasks_waiting{pool="dns"} 0
}

func ExampleRegister_duplicate() {
	reg := prometheus.NewRegistry()
	fmt.Println(hemlockprom.Register(reg, "dns", hemlock.New()))

	err := hemlockprom.Register(reg, "dns", hemlock.New())
	var taken prometheus.AlreadyRegisteredError
	fmt.Println(err)
	fmt.Println(errors.As(err, &taken))
	// Output:
	// <nil>
	// hemlockprom: register pool "dns": duplicate metrics collector registration attempted
	// true
}

func ExampleNew() {
	pool := hemlock.New()
	reg := prometheus.NewRegistry()
	collector, err := hemlockprom.New("dns", pool)
	if err != nil {
		fmt.Println(err)
		return
	}
	reg.MustRegister(collector)
	// When the pool has come to its end:
	fmt.Println(reg.Unregister(collector))
	// Output: true
}
