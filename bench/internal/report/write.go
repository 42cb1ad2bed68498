package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"example.com/hemlock/internal/figures"
)

// A file is one output: what it is called and how it is made. A nil result
// means that the run has nothing for it.
type file struct {
	name   string
	render func() ([]byte, error)
}

// Write writes the report into the folder: as JSON, as tables and as plots. It
// returns the names of the files.
func (r *Report) Write(folder string) ([]string, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	var written []string
	for _, f := range r.files() {
		data, err := f.render()
		if err != nil {
			return written, fmt.Errorf("bench: %s: %w", f.name, err)
		}
		if data == nil {
			continue
		}
		name := filepath.Join(folder, f.name)
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	return written, nil
}

func (r *Report) files() []file {
	pack := func() ([]byte, error) { return figures.Pack(r) }
	if r.Settings.Scaling {
		return []file{
			{"scaling.json.gz", pack},
			{"scaling.md", r.tables},
			{"scaling.svg", r.ScalingPlot},
		}
	}
	files := []file{
		{"results.json.gz", pack},
		{"results.md", r.tables},
	}
	for _, procs := range r.Settings.Procs {
		files = append(files,
			file{r.plotName("ratio", procs), func() ([]byte, error) { return r.RatioPlot(procs) }},
			file{r.plotName("depth", procs), func() ([]byte, error) { return r.DepthPlot(procs) }},
			file{r.plotName("depth-dark", procs), func() ([]byte, error) { return darkened(r.DepthPlot(procs)) }},
			file{r.plotName("latency", procs), func() ([]byte, error) { return r.LatencyPlot(procs) }},
			file{r.plotName("neighbours", procs), func() ([]byte, error) { return r.NeighboursPlot(procs) }},
			file{r.plotName("rate", procs), func() ([]byte, error) { return r.RatePlot(procs) }})
	}
	return files
}

// plotName tells the plots of several numbers of processors apart.
func (r *Report) plotName(name string, procs int) string {
	if r.several() {
		return fmt.Sprintf("%s-%d.svg", name, procs)
	}
	return name + ".svg"
}

func (r *Report) tables() ([]byte, error) {
	var b bytes.Buffer
	err := r.WriteTables(&b)
	return b.Bytes(), err
}
