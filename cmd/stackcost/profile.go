package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

const (
	// maxProfile bounds what a profile may hold once it is decompressed, in
	// octets. Real ones have some hundred KiB.
	maxProfile = 256 << 20

	// maxDepth is how many frames the runtime keeps of a stack in a CPU profile
	// (maxCPUProfStack in runtime/cpuprof.go). The outermost ones are cut.
	maxDepth = 64
)

// A frame is one function call on a stack.
type frame struct {
	name  string // of the function, with its package
	file  string
	line  int // where in the function
	start int // where the function begins; 0 if the profile does not say
}

// at returns where the function was.
func (f frame) at() string { return fmt.Sprintf("%s:%d", f.file, f.line) }

// begins returns where the function begins.
func (f frame) begins() string {
	if f.start == 0 {
		return f.at()
	}
	return fmt.Sprintf("%s:%d", f.file, f.start)
}

// A stack is where a program was when its clock ticked, and how often it was
// there. The first frame is the outermost.
type stack struct {
	frames []frame
	labels []string // of runtime/pprof.Do, as key=value
	ticks  int64
	nanos  int64
	cut    bool // the outermost frames are missing
}

// samples are what a CPU profile of a Go program holds.
type samples struct {
	stacks []stack
	ticks  int64
	nanos  int64
	took   time.Duration // of real time; 0 if the profile does not say
}

// parse reads a CPU profile in the format of runtime/pprof, compressed or not.
// The error is a sentence about the profile.
func parse(data []byte) (*samples, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errors.New("is empty: there is no profile in it")
	}
	data, err := decompress(data)
	if err != nil {
		return nil, err
	}
	if reason := notProfile(data); reason != "" {
		return nil, errors.New(reason)
	}
	// The other functions of the library try older text formats too, which Go
	// programs do not write.
	p, err := profile.ParseUncompressed(data)
	if err != nil || p.CheckValid() != nil {
		return nil, errors.New("is not a profile, or is damaged: it cannot be decoded")
	}
	return convert(p)
}

// decompress returns what is in the gzip stream, or the data if it is none.
func decompress(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data, nil
	}
	unpacked, err := unzip(data)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, errors.New("ends early: its gzip stream is not complete, as when a download was cut off")
	case err != nil:
		return nil, fmt.Errorf("cannot be decompressed: %w", err)
	case len(unpacked) > maxProfile:
		return nil, fmt.Errorf("holds more than %d MiB: too large for a profile", maxProfile>>20)
	case len(unpacked) == 0:
		return nil, errors.New("is empty: there is no profile in it")
	}
	return unpacked, nil
}

func unzip(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxProfile+1))
}

// notProfile recognises what people hand over by mistake.
func notProfile(data []byte) string {
	head := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 512)]))
	switch {
	case bytes.HasPrefix(head, []byte("<!doctype")), bytes.HasPrefix(head, []byte("<html")):
		return "is a web page and not a profile"
	case bytes.HasPrefix(head, []byte("go 1.")) && bytes.Contains(head, []byte("trace")):
		return "is an execution trace and not a profile"
	case bytes.Contains(head, []byte("profile: total ")), bytes.HasPrefix(head, []byte("heap profile:")):
		return "is a profile in text form: fetch it without debug=1"
	}
	return ""
}

// convert checks that the profile tells what is asked, and takes from it what
// is needed.
func convert(p *profile.Profile) (*samples, error) {
	ticks, nanos, err := columns(p)
	if err != nil {
		return nil, err
	}
	s := &samples{took: time.Duration(p.DurationNanos)}
	for _, sample := range p.Sample {
		one := stack{
			frames: flatten(sample.Location),
			labels: labels(sample.Label),
			nanos:  sample.Value[nanos],
			cut:    len(sample.Location) >= maxDepth,
		}
		one.ticks = tickCount(sample.Value, ticks, one.nanos, p.Period)
		if one.nanos < 0 || one.ticks < 0 {
			return nil, errors.New("has negative times: it is the difference of two profiles, and one of them is needed as it was")
		}
		s.nanos += one.nanos
		s.ticks += one.ticks
		s.stacks = append(s.stacks, one)
	}
	if s.nanos == 0 || s.ticks == 0 {
		return nil, errors.New("has no samples: the program used no processor time while it was taken; take it under load")
	}
	if !fromGo(s.stacks) {
		return nil, errors.New("names no function of the Go runtime: it is not of a Go program, or has no symbols")
	}
	return s, nil
}

// columns finds the count of the clock's ticks, which may be missing (-1), and the
// processor time among the values of a sample.
func columns(p *profile.Profile) (ticks, nanos int, err error) {
	ticks, nanos = -1, -1
	var types []string
	for i, t := range p.SampleType {
		types = append(types, t.Type)
		switch {
		case t.Type == "samples":
			ticks = i
		case t.Type == "cpu" && t.Unit == "nanoseconds":
			nanos = i
		}
	}
	if nanos >= 0 {
		return ticks, nanos, nil
	}
	return 0, 0, fmt.Errorf("is %s and not a CPU profile: that is served at /debug/pprof/profile and written by go test -cpuprofile", kind(types))
}

// kind names a profile by its values.
func kind(types []string) string {
	switch {
	case slices.Contains(types, "inuse_space"), slices.Contains(types, "alloc_space"):
		return "a heap profile"
	case slices.Contains(types, "contentions"):
		return "a profile of blocking or of mutexes"
	case slices.Contains(types, "goroutine"):
		return "a goroutine profile"
	}
	return fmt.Sprintf("a profile of %q", strings.Join(types, ", "))
}

func tickCount(values []int64, column int, nanos, period int64) int64 {
	switch {
	case column >= 0:
		return values[column]
	case period > 0:
		return nanos / period
	}
	return nanos / int64(10*time.Millisecond) // what runtime/pprof sets
}

func labels(of map[string][]string) []string {
	var all []string
	for key, values := range of {
		for _, value := range values {
			all = append(all, key+"="+value)
		}
	}
	slices.Sort(all)
	return all
}

// flatten puts the outermost call first, and calls that were inlined in their
// places.
func flatten(locations []*profile.Location) []frame {
	var frames []frame
	for _, l := range slices.Backward(locations) {
		for _, line := range slices.Backward(l.Line) {
			if line.Function == nil {
				continue
			}
			frames = append(frames, frame{
				name: line.Function.Name,
				file: path.Clean(line.Function.Filename),
				line: int(line.Line), start: int(line.Function.StartLine),
			})
		}
	}
	return frames
}

func fromGo(stacks []stack) bool {
	return slices.ContainsFunc(stacks, func(s stack) bool {
		return slices.ContainsFunc(s.frames, func(f frame) bool {
			return strings.HasPrefix(f.name, "runtime.")
		})
	})
}
