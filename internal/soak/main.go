// Command soak loads pools at random for as long as it is told, with panics,
// Goexit, deep stacks, garbage, a changing number of processors, and pools that
// are shut down at any moment and made anew. Then it checks that every count
// balances and that goroutines, heap and stacks are back where they were.
//
//	go run ./internal/soak -for 60s
//
// It prints the seed of its random choices. With the same seed it makes the same
// choices, but the scheduler does not. The exit status is 1 when something is
// wrong, and 2 when a flag is. Under a GOMEMLIMIT that hurts, such as 64MiB, the
// collector runs nearly all the time.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

func main() { os.Exit(command(os.Args[1:], os.Stdout, os.Stderr)) }

// command runs one soak and returns the exit status.
func command(args []string, out, complaints io.Writer) int {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(complaints)
	length := flags.Duration("for", time.Minute, "how long to load the pools")
	seed := flags.Uint64("seed", rand.Uint64(), "seed of the random choices")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	case flags.NArg() > 0:
		fmt.Fprintf(complaints, "soak: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	fmt.Fprintf(out, "soak: %v with seed %d\n", *length, *seed)
	s := newSoak(*seed, out)
	if err := s.run(*length); err != nil {
		fmt.Fprintf(complaints, "soak: failed with seed %d: %v\n", *seed, err)
		return 1
	}
	return 0
}
