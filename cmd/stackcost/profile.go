package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
)

// maxDepth is how many frames the runtime keeps of a stack in a CPU profile
// (maxCPUProfStack in runtime/cpuprof.go). The outermost ones are cut.
const maxDepth = 64

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
	ticks  int64
	cut    bool // the outermost frames are missing
}

// samples are what a CPU profile of a Go program holds.
type samples struct {
	stacks []stack
	ticks  int64
	nanos  int64
	took   time.Duration // of real time; 0 if the profile does not say
}

// unzip returns what is in the gzip stream, or the data if it is none. The library would
// read a stream to its end, however long.
func unzip(data []byte) ([]byte, error) {
	magic := []byte{0x1f, 0x8b}
	if !bytes.HasPrefix(data, magic) {
		return data, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	data, err = bounded(r)
	if err == nil && bytes.HasPrefix(data, magic) {
		err = errors.New("compressed twice")
	}
	return data, err
}

// parse reads a CPU profile in the format of runtime/pprof, compressed or not, checks
// that it tells what is asked, and takes from it what is needed.
func parse(data []byte) (*samples, error) {
	data, err := unzip(data)
	if err != nil {
		return nil, err
	}
	p, err := profile.ParseData(data)
	if err != nil {
		return nil, err
	}
	ticks, nanos, err := columns(p)
	if err != nil {
		return nil, err
	}
	s := &samples{took: time.Duration(p.DurationNanos)}
	for _, sample := range p.Sample {
		one := stack{frames: flatten(sample.Location), ticks: sample.Value[ticks], cut: len(sample.Location) >= maxDepth}
		if sample.Value[nanos] < 0 || one.ticks < 0 {
			return nil, errors.New("negative times: it is the difference of two profiles, and one of them is needed as it was")
		}
		s.nanos += sample.Value[nanos]
		s.ticks += one.ticks
		s.stacks = append(s.stacks, one)
	}
	if s.nanos == 0 || s.ticks == 0 {
		return nil, errors.New("no samples: the program used no processor time while it was taken; take it under load")
	}
	if !fromGo(s.stacks) {
		return nil, errors.New("no function of the Go runtime: it is not of a Go program, or has no symbols")
	}
	return s, nil
}

// columns finds the count of the clock's ticks and the processor time among the values
// of a sample.
func columns(p *profile.Profile) (ticks, nanos int, err error) {
	ticks = slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "samples" })
	nanos = slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "cpu" && t.Unit == "nanoseconds" })
	if ticks < 0 || nanos < 0 {
		return 0, 0, errors.New("not a CPU profile: that is served at /debug/pprof/profile and written by go test -cpuprofile")
	}
	return ticks, nanos, nil
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
