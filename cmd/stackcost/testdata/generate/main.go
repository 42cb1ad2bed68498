// Command generate makes the profiles and the measurements that stackcost is
// tested with. It starts a real server in a process of its own, drives it over
// loopback, takes a CPU profile of it meanwhile, and reads from /proc how much
// processor time a request took.
//
// One run is one round of all servers, stack depths and runners. Profiles of
// further rounds are merged with those that are there, and the measurements are
// added to measured.json.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A server is one real server, and what can run its requests.
type server struct {
	name    string
	runners []string
	command func(dir, runner string, work int) *exec.Cmd
	client  func(ctx context.Context, addr string) (requests int64, err error)
}

var servers = []server{
	{"dns", []string{"go", "pool"}, dnsCommand, loadDNS},
	{"grpc", []string{"go", "pool", "workers"}, grpcCommand, loadGRPC},
}

// works are the KiB of stack that a request uses beside what it needs.
var works = []int{0, 8, 32}

// A measurement is what one server did in one round.
type measurement struct {
	Server   string  `json:"server"`
	Work     int     `json:"work_kib"`
	Runner   string  `json:"runner"`
	Round    int     `json:"round"`
	Requests int64   `json:"requests"`
	Micros   float64 `json:"cpu_us_per_request"`
}

func main() {
	serve := flag.Bool("serve", false, "be the gRPC server, until killed")
	runner := flag.String("runner", "go", "what runs the calls of the gRPC server: go, pool or workers")
	work := flag.Int("work", 0, "`KiB` of stack that a call uses")
	seconds := flag.Int("seconds", 3, "`seconds` that each profile takes")
	out := flag.String("out", "..", "`folder` for the profiles and measured.json")
	only := flag.String("only", "", "measure this server alone: dns or grpc")
	flag.Parse()
	var err error
	if *serve {
		err = serveGRPC(*runner, *work)
	} else {
		err = round(context.Background(), *out, *only, *seconds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func round(ctx context.Context, out, only string, seconds int) error {
	dir, err := os.MkdirTemp("", "generate")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := buildDNS(ctx, dir); err != nil {
		return err
	}
	file := filepath.Join(out, "measured.json")
	all, err := readMeasured(file)
	if err != nil {
		return err
	}
	number := 1
	for _, m := range all {
		if only == "" || m.Server == only {
			number = max(number, m.Round+1)
		}
	}
	for _, s := range servers {
		if only != "" && s.name != only {
			continue
		}
		for _, work := range works {
			for i := range s.runners {
				// Every round begins with another runner, so that none always has
				// the warmer machine.
				runner := s.runners[(i+number)%len(s.runners)]
				m, err := measure(ctx, s, dir, out, runner, work, seconds)
				if err != nil {
					return fmt.Errorf("%s, %s, %d KiB: %w", s.name, runner, work, err)
				}
				m.Round = number
				all = append(all, m)
				fmt.Printf("%s %d KiB %s: %.2f us of processor time a request\n", m.Server, m.Work, m.Runner, m.Micros)
			}
		}
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

func readMeasured(file string) ([]measurement, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []measurement
	return all, json.Unmarshal(text, &all)
}

// measure runs one server under load while a profile is taken of it.
func measure(ctx context.Context, s server, dir, out, runner string, work, seconds int) (measurement, error) {
	m := measurement{Server: s.name, Work: work, Runner: runner}
	p, err := startServer(s.command(dir, runner, work))
	if err != nil {
		return m, err
	}
	defer p.stop()
	loading, cancel := context.WithCancel(ctx)
	defer cancel()
	type loaded struct {
		requests int64
		err      error
	}
	done := make(chan loaded, 1)
	before, err := p.cpu()
	if err != nil {
		return m, err
	}
	go func() {
		n, err := s.client(loading, p.addr)
		done <- loaded{n, err}
	}()
	// The pool is filled and the heap has its size after the first collections.
	select {
	case l := <-done:
		return m, fmt.Errorf("the load ended early: %w", l.err)
	case <-time.After(300 * time.Millisecond):
	}
	profile, err := fetchProfile(ctx, p.http, seconds)
	cancel()
	l := <-done
	if err = errors.Join(err, l.err); err != nil {
		return m, err
	}
	after, err := p.cpu()
	if err != nil {
		return m, err
	}
	m.Requests = l.requests
	m.Micros = (after - before).Seconds() * 1e6 / float64(l.requests)
	name := fmt.Sprintf("%s-%s-%d.pb.gz", s.name, runner, work)
	return m, keepProfile(filepath.Join(out, name), profile)
}
