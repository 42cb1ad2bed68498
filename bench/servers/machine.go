package main

import (
	"runtime"
	"runtime/debug"

	"github.com/klauspost/cpuid/v2"

	"example.com/hemlock/bench/servers/internal/report"
	"example.com/hemlock/bench/servers/internal/target"
	"example.com/hemlock/internal/figures"
)

func machine() report.Machine {
	return report.Machine{
		Machine: figures.Here("go run ./bench/servers", cpuid.CPU.BrandName),
		Procs:   runtime.GOMAXPROCS(0),
	}
}

// modules returns the libraries of the servers with the versions that are built
// in.
func modules() []report.Module {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	versions := map[string]string{}
	for _, d := range info.Deps {
		versions[d.Path] = d.Version
	}
	var all []report.Module
	for _, t := range target.All() {
		if t.Module != "" {
			all = append(all, report.Module{Path: t.Module, Version: versions[t.Module]})
		}
	}
	return all
}
