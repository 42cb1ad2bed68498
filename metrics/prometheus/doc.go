// Package hemlockprom exports the counts of hemlock pools to Prometheus.
//
//	err := hemlockprom.Register(prometheus.DefaultRegisterer, "dns", pool)
//
// Each pool has a name, the value of the label pool on all its metrics:
//
//	hemlock_workers{state="idle|running"}  gauge: workers by state
//	hemlock_workers_peak                   gauge: most workers there ever were
//	hemlock_workers_spawned_total          counter: workers started because none was idle
//	hemlock_workers_killed_total           counter: idle workers killed
//	hemlock_workers_recycled_total         counter: workers replaced after their last task
//	hemlock_tasks_submitted_total          counter: tasks accepted
//	hemlock_tasks_waiting                  gauge: tasks accepted that wait for a processor
//	hemlock_tasks_completed_total          counter: tasks ended, by whatever means
//	hemlock_tasks_panicked_total           counter: tasks whose panic went to the handler
//
// All of them come from one [hemlock.Stats] snapshot at each scrape, so that
// they fit together: sum(hemlock_workers) is never above hemlock_workers_peak,
// and hemlock_tasks_completed_total is never above hemlock_tasks_submitted_total.
// The application pays nothing between scrapes.
//
// Beside this package lie a Grafana dashboard (dashboard.json) and alert rules
// (alerts.yaml).
package hemlockprom
