package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// clockTick is the unit of the processor times in /proc/PID/stat: 1/100 s on
// every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// A process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	addr string // where it serves
	http string // where it serves its profiles
}

var (
	addrLine = regexp.MustCompile(`msg=serving addr=(\S+)`)
	httpLine = regexp.MustCompile(`msg="serving over HTTP" http=(\S+)`)
)

// startServer starts the command and waits until it has logged both addresses.
func startServer(cmd *exec.Cmd) (*process, error) {
	logged, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	lines := bufio.NewScanner(logged)
	for (p.addr == "" || p.http == "") && lines.Scan() {
		if found := addrLine.FindStringSubmatch(lines.Text()); found != nil {
			p.addr = found[1]
		}
		if found := httpLine.FindStringSubmatch(lines.Text()); found != nil {
			p.http = found[1]
		}
	}
	if p.addr == "" || p.http == "" {
		p.stop()
		return nil, fmt.Errorf("%s ended before it served", cmd.Path)
	}
	go func() { _, _ = io.Copy(io.Discard, logged) }()
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// cpu returns the processor time used so far, in user and system mode.
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name of the program, in parentheses, could hold blanks.
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("unexpected format of /proc/PID/stat: %q", text)
	}
	var ticks int64
	for _, i := range []int{user, system} {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

func fetchProfile(ctx context.Context, addr string, seconds int) (*profile.Profile, error) {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", addr, seconds)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return profile.Parse(response.Body)
}

// keepProfile merges the profile with the one in the file, if there is one.
// Paths of this machine are cut, so that the files are the same everywhere.
func keepProfile(file string, p *profile.Profile) error {
	for _, m := range p.Mapping {
		m.File, m.BuildID = "", ""
	}
	if old, err := os.Open(file); err == nil {
		before, err := profile.Parse(old)
		_ = old.Close()
		if err != nil {
			return err
		}
		if p, err = profile.Merge([]*profile.Profile{before, p}); err != nil {
			return err
		}
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := p.Compact().Write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
