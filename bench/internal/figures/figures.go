// Package figures holds what the reports of bench and of bench/servers have in common:
// where the figures are from, how rounds are summarized and numbers written, the tables,
// and the files.
package figures

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A Report is what a run measured. Tables and plots are made from it alone, and it is
// kept as JSON.
type Report interface {
	Tables() string
	Plots() []File
}

// A File is a name and what is in it.
type File struct {
	Name string
	Data []byte
}

// Publish prints the tables and, unless folder is empty, writes the tables, the plots and
// the JSON into it.
func Publish(r Report, folder string, out io.Writer) error {
	tables := r.Tables()
	if _, err := io.WriteString(out, tables); err != nil || folder == "" {
		return err
	}
	packed, err := pack(r)
	if err != nil {
		return err
	}
	err = write(folder, File{"results.json.gz", packed}, File{"results.md", []byte(tables)})
	if err != nil {
		return err
	}
	return write(folder, r.Plots()...) // last: one that cannot be drawn must not cost the figures
}

func write(folder string, files ...File) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(folder, f.Name)
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "wrote", name)
	}
	return nil
}

// pack returns the value as compressed JSON.
func pack(value any) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if err := json.NewEncoder(z).Encode(value); err != nil {
		return nil, err
	}
	err := z.Close()
	return b.Bytes(), err
}

// Read returns the T that a file has as JSON, which is compressed if the name of the file
// ends in .gz.
func Read[T any](name string) (*T, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var from io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if from, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	value := new(T)
	if err := json.NewDecoder(from).Decode(value); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}
