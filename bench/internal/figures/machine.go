package figures

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/cpuid/v2"
)

// A Machine says where and when figures were measured, of which code, and how to
// measure them again.
type Machine struct {
	Go      string    `json:"go"`
	OS      string    `json:"os"`
	Arch    string    `json:"arch"`
	CPU     string    `json:"cpu"`
	CPUs    int       `json:"cpus"`
	Date    time.Time `json:"date"`
	Command string    `json:"command"`
	Commit  string    `json:"commit,omitempty"` // as of [Commit]; empty in reports from before there was one

	Procs int           `json:"gomaxprocs,omitempty"` // unless the run sets it
	Clock time.Duration `json:"clock_ns,omitempty"`   // what one reading of the clock costs
	Pace  float64       `json:"pace,omitempty"`       // rounds of the loop that is work, in a microsecond of processor time
}

// Here returns the machine, the moment and the command of this process. The program is
// how the documentation starts it.
func Here(program string) Machine {
	return Machine{
		Go:      runtime.Version(),
		OS:      runtime.GOOS,
		Arch:    runtime.GOARCH,
		CPU:     cpuid.CPU.BrandName,
		CPUs:    runtime.NumCPU(),
		Date:    time.Now().UTC().Truncate(time.Second),
		Command: command(program, os.Args[1:]),
		Commit:  Commit(),
	}
}

// Place returns all but the command, in one line.
func (m Machine) Place() string {
	return fmt.Sprintf("%s, %s %s/%s, %s, %d processors, %s",
		m.at(), m.Go, m.OS, m.Arch, m.CPU, m.CPUs, m.Date.Format(time.DateOnly))
}

// at names the commit in the words that internal/tools/figures-fresh looks for.
func (m Machine) at() string { return "commit " + cmp.Or(m.Commit, "not recorded") }

// Origin returns all of it, in one line.
func (m Machine) Origin() string { return fmt.Sprintf("Measured by `%s`: %s.", m.Command, m.Place()) }

// command returns the command with the arguments quoted for a shell, but without
// -out, which says nothing about the figures.
func command(program string, args []string) string {
	words := []string{program}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		if name == "-out" || name == "--out" {
			if !joined {
				i++ // its value
			}
			continue
		}
		word := args[i]
		if strings.ContainsAny(word, " \t|&;<>()$*?[]^\"\\") {
			word = "'" + word + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// commit is set by the linker in a program that runs elsewhere; see internal/tools/sixteen.
var commit string

// Commit returns the commit that this process was built from, followed by "+changes" if
// its code has changes that are not committed, or "" if the commit is unknown. Unless the
// linker has set it, it is that of the working directory at the first call: the go
// command records none in a program of a workspace.
var Commit = sync.OnceValue(func() string { return cmp.Or(commit, current()) })

func current() string {
	head, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return ""
	}
	changes, err := exec.Command("git", "status", "--porcelain", "--", ":/*.go", ":/*.mod", ":/*.sum").Output()
	if err != nil {
		return ""
	}
	if len(changes) > 0 {
		return strings.TrimSpace(string(head)) + "+changes"
	}
	return strings.TrimSpace(string(head))
}
