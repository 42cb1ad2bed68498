package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var screenshot = flag.String("screenshot", "", "`file` to which the plots are saved as the browser shows them, as PNG")

// spikes is a demo's load that comes again and again.
var spikes = []phase{
	{name: "quiet", bursts: 15, every: 66 * time.Millisecond, udp: 1, tcp: 1, atOnce: 5},
	{name: "spike", bursts: 8, every: 250 * time.Millisecond, udp: 2, tcp: 6, atOnce: 100, stagger: true},
	{name: "quiet", bursts: 75, every: 66 * time.Millisecond, udp: 1, tcp: 1, atOnce: 5},
}

func TestPlotsCarryTheSpikeInABrowser(t *testing.T) {
	path := chromium(t)
	cfg := monitored(poolRunner)
	cfg.latency, cfg.killInterval, cfg.killDelay = 5*time.Millisecond, 50*time.Millisecond, 500*time.Millisecond
	s := startServer(t, cfg)
	defer keepBusy(t, s)()

	b := browse(t, path)
	b.do(t, chromedp.EmulateViewport(1200, 1490), chromedp.Navigate("http://"+s.monitor.addr()+"/debug/statsviz/"))
	for _, p := range slices.Backward(ourPlots(s.runner.(pooled).Pool)) {
		// A plot is drawn once it is in view: until then it is empty.
		b.do(t, chromedp.ScrollIntoView(chromedp.ID(p.name)))
		until(t, p.name+" is drawn", func() bool { return b.draws(t, p) })
	}
	until(t, "the spike has come and gone", func() bool { return b.showsSpike(t) })
	if *screenshot != "" {
		b.save(t, *screenshot)
	}
}

// chromium returns the browser's path.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no browser is installed (Debian has one in chromium)")
	return ""
}

// keepBusy drives the server through one spike after the other until stop is called.
func keepBusy(t *testing.T, s *server) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var load sync.WaitGroup
	records := shippedRecords(t)
	load.Go(func() {
		for ctx.Err() == nil {
			what := script{phases: spikes, within: patience, firstTry: patience / 8}
			_ = newDemo(s, records, what, io.Discard).play(ctx) // other tests are about the answers
		}
	})
	return func() {
		cancel()
		load.Wait()
	}
}

// A browser shows one page.
type browser struct{ ctx context.Context }

// browse starts a browser without a window. Nothing in it needs the network, a sandbox
// (which root cannot have) or a profile of its user.
func browse(t *testing.T, path string) browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.NoSandbox,
	)
	for _, name := range []string{"disable-gpu", "disable-quic", "disable-component-update"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits until its profile can be removed
	require.NoError(t, chromedp.Do(ctx))
	return browser{ctx}
}

func (b browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, steps...))
}

// A drawing is what the page has for one series of a plot.
type drawing struct {
	Name string    `json:"name"`
	Y    []float64 `json:"y"`
	Line string    `json:"line"` // the path that is drawn
}

// drawings returns what a plot shows. There are none before its first sample.
func (b browser) drawings(t *testing.T, plot string) []drawing {
	t.Helper()
	list, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]drawing](fmt.Sprintf(`(() => {
		const plot = document.getElementById(%q);
		const lines = plot.querySelectorAll(".scatterlayer .trace path.js-line");
		return plot.data.map((series, i) => ({
			name: series.name || "",
			y: Array.from(series.y || []),
			line: lines[i]?.getAttribute("d") || "",
		}));
	})()`, plot)))
	require.NoError(t, err)
	return list
}

// draws reports whether each series of the plot has points, and a line that goes
// through them.
func (b browser) draws(t *testing.T, p plot) bool {
	t.Helper()
	list := b.drawings(t, p.name)
	if len(list) != len(p.series) {
		return false
	}
	for i, d := range list {
		if d.Name != p.series[i].name || len(d.Y) < 2 || len(d.Line) < len("M0,0L1,1") {
			return false
		}
	}
	return true
}

// showsSpike reports whether the line of the idle workers has risen and fallen.
func (b browser) showsSpike(t *testing.T) bool {
	t.Helper()
	idle := b.drawings(t, "pool-workers")[0]
	peak := slices.Max(idle.Y)
	return idle.Name == "idle" && peak >= 50 && idle.Y[len(idle.Y)-1] < peak/2
}

// save waits until the page has samples of most of a minute, and saves what is in
// view.
func (b browser) save(t *testing.T, file string) {
	t.Helper()
	b.do(t, chromedp.ScrollIntoView(chromedp.ID("process-stacks")))
	until(t, "there is something to see", func() bool { return len(b.drawings(t, "pool-workers")[0].Y) > 50 })
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, png, 0o644))
}
