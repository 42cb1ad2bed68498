// Package process runs a server in a process of its own: the program that is
// running, started once more. The two talk JSON over the child's standard input
// and output, and the child ends when its input does, so it never outlives its
// parent.
package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"

	"example.com/hemlock/bench/servers/internal/mode"
	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/bench/servers/internal/work"
)

// variable is the environment variable that makes the program a server. Its
// value is a [Config] in JSON.
const variable = "HEMLOCK_BENCH_SERVER"

// A Config says what a server does.
type Config struct {
	Target string    `json:"target"`
	Mode   string    `json:"mode"`
	Work   work.Work `json:"work"`
}

// What a parent may ask for.
const (
	askCounts       = "counts"
	askProfile      = "profile"
	askProfileEnded = "profile ended"
)

// A reply is what the child says, once at its start and then to each question.
type reply struct {
	Endpoint target.Endpoint `json:"endpoint,omitzero"`
	Counts   Counts          `json:"counts,omitzero"`
	Profile  []byte          `json:"profile,omitempty"`
	Error    string          `json:"error,omitempty"`
}

// BecomeServer makes the process a server if it was started as one, and does not
// return then. A program that calls [Start] must call it first.
func BecomeServer() {
	text, ok := os.LookupEnv(variable)
	if !ok {
		return
	}
	_ = os.Unsetenv(variable)
	if err := serve([]byte(text), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve runs a server until there are no more questions.
func serve(config []byte, questions io.Reader, replies io.Writer) error {
	out := json.NewEncoder(replies)
	s, endpoint, err := start(config)
	if err != nil {
		return errors.Join(err, out.Encode(reply{Error: err.Error()}))
	}
	defer runtime.KeepAlive(s.ballast)
	if err := out.Encode(reply{Endpoint: endpoint}); err != nil {
		return err
	}
	for in := json.NewDecoder(questions); ; {
		var question string
		switch err := in.Decode(&question); {
		case err == io.EOF:
			return nil // the servers and their connections end with the process
		case err != nil:
			return err
		}
		if err := out.Encode(s.reply(question)); err != nil {
			return err
		}
	}
}

// A server is the state of a child.
type server struct {
	stats   func() any
	ballast any
	profile *bytes.Buffer // of the profile that was started last
}

func start(config []byte) (*server, target.Endpoint, error) {
	var c Config
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, target.Endpoint{}, err
	}
	t, err := target.Find(c.Target)
	if err != nil {
		return nil, target.Endpoint{}, err
	}
	m, err := mode.Find(c.Mode)
	if err != nil {
		return nil, target.Endpoint{}, err
	}
	way, stats := m.New()
	endpoint, _, err := t.Serve(way, c.Work.Answer)
	return &server{stats: stats, ballast: c.Work.Hold()}, endpoint, err
}

func (s *server) reply(question string) (r reply) {
	var err error
	switch question {
	case askCounts:
		r.Counts, err = count(s.stats)
	case askProfile:
		// A buffer for each: one that is being written to refuses a second start,
		// and must not be touched.
		profile := new(bytes.Buffer)
		if err = pprof.StartCPUProfile(profile); err == nil {
			s.profile = profile
		}
	case askProfileEnded:
		pprof.StopCPUProfile()
		if s.profile != nil {
			r.Profile = s.profile.Bytes()
		}
	default:
		err = fmt.Errorf("unknown question %q", question)
	}
	if err != nil {
		r.Error = err.Error()
	}
	return r
}
