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
)

// profilePath is where net/http/pprof serves a CPU profile.
const profilePath = "/debug/pprof/profile"

// read returns the profile from where the command line says it is.
func (c *command) read(ctx context.Context) ([]byte, error) {
	switch {
	case c.source == "-":
		return io.ReadAll(c.stdin)
	case strings.HasPrefix(c.source, "http://"), strings.HasPrefix(c.source, "https://"):
		return c.fetch(ctx)
	}
	return os.ReadFile(c.source)
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
	if query := u.Query(); !query.Has("seconds") {
		query.Set("seconds", strconv.Itoa(c.seconds))
		u.RawQuery = query.Encode()
	}
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
	return io.ReadAll(response.Body)
}
