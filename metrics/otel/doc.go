// Package hemlockotel reports the counts of hemlock pools to OpenTelemetry.
//
//	unregister, err := hemlockotel.Register(otel.Meter("example.com/server"), "dns", pool)
//
// It observes these instruments, each measurement with the pool's name in the
// attribute hemlock.pool.name:
//
//	hemlock.worker.count     updowncounter {worker}  by hemlock.worker.state: idle or running
//	hemlock.worker.peak      gauge         {worker}  most workers there ever were
//	hemlock.worker.spawned   counter       {worker}  started because none was idle
//	hemlock.worker.killed    counter       {worker}  idle ones killed
//	hemlock.worker.recycled  counter       {worker}  replaced after their last task
//	hemlock.task.submitted   counter       {task}    accepted
//	hemlock.task.completed   counter       {task}    ended, by whatever means
//	hemlock.task.waiting     updowncounter {task}    accepted, waiting for a processor
//	hemlock.task.panicked    counter       {task}    whose panic went to the handler
//
// All of them come from one [hemlock.Stats] snapshot at each collection, so that
// they fit together. The application pays nothing between collections.
//
// The names follow the [general naming rules] of the semantic conventions, and
// the instruments those for the connections of a [database pool]: a count that
// may be added up is an updowncounter with the state as an attribute.
//
// [general naming rules]: https://opentelemetry.io/docs/specs/semconv/general/naming/
// [database pool]: https://opentelemetry.io/docs/specs/semconv/db/database-metrics/#connection-pools
package hemlockotel
