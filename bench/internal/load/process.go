package load

import (
	"io"
	"os"
	"os/exec"
	"time"
)

// intruder is the environment variable that makes this program the other
// process.
const intruder = "HEMLOCK_BENCH_INTRUDER"

// Intrude does not return if this process was started by [Load.Intruder]. It
// computes for 5 ms in every 20 ms, until the process that started it has ended.
func Intrude() {
	if os.Getenv(intruder) == "" {
		return
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		for start := now(); now()-start < 5*time.Millisecond; {
		}
		time.Sleep(15 * time.Millisecond)
	}
}

// Intruder starts the other process, if the load has one, and returns what ends
// it. The program must call [Intrude] first.
func (l Load) Intruder() (end func(), err error) {
	if !l.Process {
		return func() {}, nil
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	child := exec.Command(path)
	child.Env = append(os.Environ(), intruder+"=1")
	stdin, err := child.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := child.Start(); err != nil {
		return nil, err
	}
	return func() {
		stdin.Close()
		_ = child.Wait()
	}, nil
}
