//go:build unix

package process

import "syscall"

// Suspend stops the server as it stands, until Resume.
func (p *Process) Suspend() error { return p.command.Process.Signal(syscall.SIGSTOP) }

// Resume lets a suspended server go on.
func (p *Process) Resume() error { return p.command.Process.Signal(syscall.SIGCONT) }
