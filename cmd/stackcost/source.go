package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	profilePath = "/debug/pprof/profile"

	// patience is how long a server may take beyond the length of the profile.
	patience = 15 * time.Second
)

// isURL reports whether the argument is to be fetched and not opened.
func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// readFile returns what is in the file, or on the standard input for "-". The
// error is a sentence about the file.
func readFile(name string, stdin io.Reader) ([]byte, error) {
	if name == "-" {
		return readBounded(stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	defer func() { _ = f.Close() }()
	return readBounded(f)
}

func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	switch {
	case err != nil:
		return nil, errors.New(reason(err))
	case len(data) > maxProfile:
		return nil, fmt.Errorf("has more than %d MiB: too large for a profile", maxProfile>>20)
	}
	return data, nil
}

// reason returns what went wrong without the name of the file, which the caller
// puts in front.
func reason(err error) string {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read"
	case errors.As(err, &path):
		return "cannot be read: " + path.Err.Error()
	}
	return "cannot be read: " + err.Error()
}

// profileURL completes what was given: the path where net/http/pprof serves a CPU
// profile if there is none, and how many seconds it is to take. It returns them.
// Seconds in the URL win unless -seconds was given.
func profileURL(given string, seconds int, chosen bool) (string, int, error) {
	u, err := url.Parse(given)
	if err != nil || u.Host == "" {
		return "", 0, errors.New("is not a URL")
	}
	if strings.Trim(strings.TrimSuffix(u.Path, "/debug/pprof/"), "/") == "" || u.Path == "/debug/pprof" {
		u.Path = profilePath
	}
	query := u.Query()
	if there, err := strconv.Atoi(query.Get("seconds")); err == nil && there > 0 && !chosen {
		seconds = there
	}
	query.Set("seconds", strconv.Itoa(seconds))
	u.RawQuery = query.Encode()
	return u.String(), seconds, nil
}

// fetch takes a profile from a server. The error is a sentence about the URL.
func fetch(ctx context.Context, where string, seconds int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return nil, errors.New("is not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, errors.New(unreachable(ctx, err))
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(refused(response))
	}
	data, err := io.ReadAll(io.LimitReader(response.Body, maxProfile+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, errors.New(unreachable(ctx, err))
	case err != nil:
		return nil, errors.New("broke off before the profile was complete")
	case len(data) > maxProfile:
		return nil, fmt.Errorf("sent more than %d MiB: too large for a profile", maxProfile>>20)
	}
	return data, nil
}

func unreachable(ctx context.Context, err error) string {
	var op *net.OpError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "was not waited for: interrupted"
	case ctx.Err() != nil:
		return "did not answer in time"
	case errors.As(err, &op):
		return "cannot be reached: " + op.Err.Error()
	}
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err
	}
	return "cannot be reached: " + err.Error()
}

// refused returns what the server answered in place of a profile.
func refused(response *http.Response) string {
	text := "answered " + response.Status
	if response.StatusCode == http.StatusNotFound {
		return text + ": no profile is served there; programs that import net/http/pprof serve it at " + profilePath
	}
	said, _ := io.ReadAll(io.LimitReader(response.Body, 200))
	if line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n"); line != "" {
		return text + ": " + strings.ToValidUTF8(strconv.Quote(line), "?")
	}
	return text
}

// progress says on w how much of the time has passed, until ctx ends: in one line
// that is written anew each second on a terminal, elsewhere once.
func progress(ctx context.Context, w io.Writer, terminal bool, where string, seconds int) {
	if !terminal {
		fmt.Fprintf(w, "stackcost: taking a profile of %d s from %s\n", seconds, where)
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer fmt.Fprint(w, "\r\x1b[K") // the line goes when the profile has come
	for passed := 0; ; passed++ {
		fmt.Fprintf(w, "\r\x1b[Ktaking a profile: %d of %d s", min(passed, seconds), seconds)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
