package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// profilePath is where net/http/pprof serves a CPU profile.
	profilePath = "/debug/pprof/profile"

	// patience is how long a server may take beyond the length of the profile.
	patience = 15 * time.Second
)

// maxProfile bounds what a profile may hold, compressed or not, in octets. Real ones have
// some hundred KiB. A variable, so that a test need not read as much.
var maxProfile = 256 << 20

// bounded returns all that the reader has, unless that is too much for a profile.
func bounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(maxProfile)+1))
	if err == nil && len(data) > maxProfile {
		err = fmt.Errorf("more than %d MiB: too large for a profile", maxProfile>>20)
	}
	return data, err
}

// read returns the profile from where the command line says it is.
func (c *command) read(ctx context.Context) ([]byte, error) {
	switch {
	case c.source == "-":
		return bounded(c.stdin)
	case strings.HasPrefix(c.source, "http://"), strings.HasPrefix(c.source, "https://"):
		return c.fetch(ctx)
	}
	f, err := os.Open(c.source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return bounded(f)
}

// fetch takes a profile from a server, for as long as -seconds says unless the URL does.
func (c *command) fetch(ctx context.Context) ([]byte, error) {
	u, err := url.Parse(c.source)
	if err != nil {
		return nil, err
	}
	if path := strings.Trim(u.Path, "/"); path == "" || path == "debug/pprof" {
		u.Path = profilePath
	}
	query := u.Query()
	seconds, err := strconv.Atoi(query.Get("seconds"))
	if err != nil || seconds < 1 {
		seconds = c.seconds
		query.Set("seconds", strconv.Itoa(seconds))
		u.RawQuery = query.Encode()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+patience)
	defer cancel()
	fmt.Fprintf(c.stderr, "stackcost: taking a profile from %s\n", u)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s; programs that import net/http/pprof serve a profile at %s", u, response.Status, profilePath)
	}
	return bounded(response.Body)
}
