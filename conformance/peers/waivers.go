package peers

import "maps"

// waive gives all these clauses the same reason.
func waive(reason string, clauses ...string) map[string]string {
	waived := map[string]string{}
	for _, c := range clauses {
		waived[c] = reason
	}
	return waived
}

// waivers joins reasons; of two for the same clause the later one holds.
func waivers(parts ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

// silence are the clauses about which the documentation of no peer says anything. A
// peer whose documentation mentions one overrules that with promised.
func silence() map[string]string {
	return waive("the documentation does not mention it",
		"nil-refused", "nil-kills-nothing", "hand-over-allocates-nothing", "run-refuses-nil",
		"labels-not-inherited", "labels-not-left-behind", "panic-on-fault-off", "closure-released",
		"handler-panic-crashes", "handler-may-goexit",
		"minimum-is-per-pool", "pill-spares-busy", "bursts-do-not-thrash", "idle-pool-sleeps",
		"killer-ends-at-once", "dropped-pools-collected",
		"tasks-may-submit-while-closing", "shutdown-names-cause", "shutdown-names-end", "timed-out-shutdowns-leak-nothing",
		"shutdown-is-repeatable", "shutdown-from-task", "drained-beats-context",
		"import-starts-nothing", "bubble-ends-after-shutdown", "bubble-ends-when-drained", "bubbles-share-nothing",
		"bursts-leave-turns", "started-tasks-go-on",
	)
}

// promised takes clauses out of a list of waivers.
func promised(waived map[string]string, clauses ...string) map[string]string {
	for _, c := range clauses {
		delete(waived, c)
	}
	return waived
}

// recovers are the clauses that a pool gives up if it recovers panics.
func recovers(reason string) map[string]string {
	return waive(reason, "panic-crashes", "crash-not-swallowed")
}
