package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"example.com/hemlock/bench/servers/internal/target"
)

// A Process is a server in a process of its own, as its parent sees it. Its methods
// must not be called concurrently.
type Process struct {
	Endpoint target.Endpoint

	command *exec.Cmd
	stdin   io.Closer
	ask     *json.Encoder
	replies *json.Decoder
}

// Start starts a server and returns when it listens. The environment is that of
// this process, with the given variables added. When ctx ends the server is
// killed.
func Start(ctx context.Context, config Config, environment ...string) (*Process, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program)
	command.Env = append(append(os.Environ(), environment...), variable+"="+string(text))
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{command: command, stdin: stdin, ask: json.NewEncoder(stdin), replies: json.NewDecoder(stdout)}
	first, err := p.reply()
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	p.Endpoint = first.Endpoint
	return p, nil
}

// Counts asks the server for its counts.
func (p *Process) Counts() (Counts, error) {
	r, err := p.question(askCounts)
	return r.Counts, err
}

// StartProfile begins a processor profile of the server.
func (p *Process) StartProfile() error {
	_, err := p.question(askProfile)
	return err
}

// StopProfile ends the profile and returns it, in the format of pprof.
func (p *Process) StopProfile() ([]byte, error) {
	r, err := p.question(askProfileEnded)
	return r.Profile, err
}

// Stop ends the server. It returns an error if the server has crashed.
func (p *Process) Stop() error {
	return errors.Join(p.stdin.Close(), p.command.Wait())
}

func (p *Process) question(question string) (reply, error) {
	if err := p.ask.Encode(question); err != nil {
		return reply{}, fmt.Errorf("server: %w", err)
	}
	return p.reply()
}

func (p *Process) reply() (r reply, err error) {
	if err := p.replies.Decode(&r); err != nil {
		return reply{}, fmt.Errorf("server: %w", err)
	}
	if r.Error != "" {
		return reply{}, fmt.Errorf("server: %s", r.Error)
	}
	return r, nil
}
