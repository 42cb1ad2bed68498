// Command fileproxy writes modules of this repository as a module proxy made of
// files, as if they had been tagged with one version:
//
//	fileproxy -version v0.1.0 -out DIRECTORY MODULE...
//
// MODULE is a directory with a go.mod. GOPROXY=file://DIRECTORY then serves it.
// The modules must require each other at that version. The files are those that
// git tracks, as they are in the checkout.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("fileproxy: ")
	version := flag.String("version", "", "the `version` that the modules get")
	out := flag.String("out", "", "the `directory` that becomes the proxy")
	flag.Parse()
	if *version == "" || *out == "" || flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := publishAll(*out, *version, flag.Args()); err != nil {
		log.Fatal(err)
	}
}

// publishAll publishes every module it can, so that one run shows all faults.
func publishAll(out, version string, dirs []string) error {
	var faults []error
	for _, dir := range dirs {
		if err := publish(out, version, dir); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", dir, err))
		}
	}
	return errors.Join(faults...)
}

func publish(out, version, dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	mod, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		return err
	}
	if mod.Module == nil {
		return errors.New("go.mod names no module")
	}
	if err := checkSiblings(mod, version); err != nil {
		return err
	}
	m := module.Version{Path: mod.Module.Mod.Path, Version: version}
	archive, err := pack(m, dir)
	if err != nil {
		return err
	}
	return write(out, m, text, archive)
}

// checkSiblings reports what would be fetched at a version that is never released.
// Within the repository a replace directive hides that, and elsewhere it has no effect.
func checkSiblings(mod *modfile.File, version string) error {
	root := root(mod.Module.Mod.Path)
	var faults []error
	for _, r := range mod.Require {
		if sibling := r.Mod.Path == root || strings.HasPrefix(r.Mod.Path, root+"/"); sibling && r.Mod.Version != version {
			faults = append(faults, fmt.Errorf("go.mod requires %s and not %s", r.Mod, version))
		}
	}
	return errors.Join(faults...)
}

// root returns the path of the repository: host and one name.
func root(path string) string {
	host, rest, _ := strings.Cut(path, "/")
	name, _, _ := strings.Cut(rest, "/")
	return host + "/" + name
}

// pack returns the zip of the module. It takes tracked files only: a file that
// is missing from the repository must be missing here.
func pack(m module.Version, dir string) ([]byte, error) {
	list := exec.Command("git", "ls-files", "-z")
	list.Dir = dir
	list.Stderr = os.Stderr
	names, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	var files []zip.File
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		files = append(files, tracked{dir, name})
	}
	var archive bytes.Buffer
	err = zip.Create(&archive, m, files) // leaves nested modules out
	return archive.Bytes(), err
}

// write lays the files out as the module proxy protocol names them; see
// https://go.dev/ref/mod#goproxy-protocol.
func write(out string, m module.Version, mod, archive []byte) error {
	escaped, err := module.EscapePath(m.Path)
	if err != nil {
		return err
	}
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{m.Version, time.Now().UTC()})
	if err != nil {
		return err
	}
	dir := filepath.Join(out, filepath.FromSlash(escaped), "@v")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list":              []byte(m.Version + "\n"),
		m.Version + ".info": info,
		m.Version + ".mod":  mod,
		m.Version + ".zip":  archive,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// A tracked is a file that git tracks, by its slash-separated name in dir.
type tracked struct{ dir, name string }

func (f tracked) Path() string                 { return f.name }
func (f tracked) Lstat() (os.FileInfo, error)  { return os.Lstat(f.file()) }
func (f tracked) Open() (io.ReadCloser, error) { return os.Open(f.file()) }
func (f tracked) file() string                 { return filepath.Join(f.dir, filepath.FromSlash(f.name)) }
