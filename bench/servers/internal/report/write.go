package report

import (
	"bytes"
	"os"
	"path/filepath"

	"example.com/hemlock/internal/figures"
)

// Write writes the report into the folder, as JSON and as tables. It returns the
// names of the files.
func (r *Report) Write(folder string) ([]string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	var tables bytes.Buffer
	if err := r.WriteTables(&tables); err != nil {
		return nil, err
	}
	encoded, err := figures.Pack(r)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, data := range map[string][]byte{"results.md": tables.Bytes(), "results.json.gz": encoded} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return names, err
		}
		names = append(names, path)
	}
	return names, nil
}
