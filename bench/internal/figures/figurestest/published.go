// Package figurestest tests reports.
package figurestest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/internal/figures"
)

// Published requires that the tables and plots of the folder, and of the folders in it,
// are what the reports there make of their figures. After a change of what a report
// shows, -render makes them again.
func Published(t *testing.T, folder string, read func(file string) (figures.Report, error)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*", "results.json.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range append(files, filepath.Join(folder, "results.json.gz")) {
		r, err := read(file)
		require.NoError(t, err)
		made := map[string][]byte{"results.md": []byte(r.Tables())}
		for _, p := range r.Plots() {
			made[p.Name] = p.Data
		}
		folder := filepath.Dir(file)
		plots, err := filepath.Glob(filepath.Join(folder, "*.svg"))
		require.NoError(t, err)
		require.Len(t, plots, len(made)-1, folder)
		for name, data := range made {
			published, err := os.ReadFile(filepath.Join(folder, name))
			require.NoError(t, err)
			if runtime.GOARCH == "amd64" || name == "results.md" { // elsewhere coordinates may be rounded otherwise
				require.Equal(t, string(published), string(data), folder)
			}
		}
	}
}
