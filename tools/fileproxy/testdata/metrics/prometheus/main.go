package main

import (
	"context"
	"log"

	"example.com/hemlock"
	hemlockprom "example.com/hemlock/metrics/prometheus"
	"github.com/prometheus/client_golang/prometheus"
)

func main() {
	pool := hemlock.New()
	reg := prometheus.NewRegistry()
	if err := hemlockprom.Register(reg, "fresh", pool); err != nil {
		log.Fatal(err)
	}
	other, err := hemlockprom.New("other", pool)
	if err != nil {
		log.Fatal(err)
	}
	if err := reg.Register(other); err != nil {
		log.Fatal(err)
	}
	pool.Run(func() {})
	if err := pool.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}

	families, err := reg.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "hemlock_tasks_completed_total" {
			if n := len(family.GetMetric()); n != 2 {
				log.Fatalf("%d pools are exported, of 2", n)
			}
			if done := family.GetMetric()[0].GetCounter().GetValue(); done != 1 {
				log.Fatalf("%v tasks are exported, of 1", done)
			}
			return
		}
	}
	log.Fatal("hemlock_tasks_completed_total is not exported")
}
