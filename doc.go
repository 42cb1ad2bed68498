// Package hemlock is an elastic, unbounded goroutine pool for servers.
package hemlock
