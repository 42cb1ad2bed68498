package page_test

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/hemlock"
	"example.com/hemlock/metrics/page"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var pictures = flag.String("pictures", "", "`folder` to which the browser's pictures of the page are saved")

// patience is how long a test waits for what must come.
const patience = time.Minute

// The sizes and colours in which the page is looked at.
var (
	widths = []int64{400, 820, 1280}
	themes = []string{"light", "dark"}
)

// stories are the pages that are looked at, by the names of their pictures.
var stories = map[string]story{
	"one":     {10 * time.Minute, []told{spikes}},
	"several": {10 * time.Minute, []told{spikes, atMinimum, atRest, unused}},
	"young":   {40 * time.Second, []told{spikes}},
	"first":   {time.Millisecond, []told{atRest}},
}

func TestPageFitsItsWindow(t *testing.T) {
	b := browse(t)
	pages := map[string]http.Handler{"long-names-and-large-figures": huge()}
	for name, s := range stories {
		pages[name] = s.tell(t)
	}
	for name, p := range pages {
		url := serve(t, p)
		for _, width := range widths {
			for _, theme := range themes {
				name := fmt.Sprintf("%s-%d-%s", name, width, theme)
				t.Run(name, func(t *testing.T) {
					b.open(t, url, width, theme)
					require.Empty(t, evaluate[[]string](t, b, overflowing), "wider than the window")
					require.Empty(t, b.console(), "in the console")
					if *pictures != "" {
						png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
						require.NoError(t, err)
						require.NoError(t, os.WriteFile(filepath.Join(*pictures, name+".png"), png, 0o644))
					}
				})
			}
		}
	}
}

// overflowing lists what reaches out of the window, or out of what holds it.
const overflowing = `(() => {
	const width = document.documentElement.clientWidth;
	const found = [];
	if (document.documentElement.scrollWidth > width) found.push("the document");
	for (const e of document.querySelectorAll("body *")) {
		if (e.closest("svg svg") || e.closest("[hidden]")) continue;
		const box = e.getBoundingClientRect();
		if (box.right > width + 0.5 || box.left < -0.5) found.push(e.outerHTML.slice(0, 80));
		if (e.clientWidth && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline") found.push("inside: " + e.outerHTML.slice(0, 80));
	}
	return found;
})()`

// huge is a page with a long name and figures of many digits.
func huge() *page.Page {
	stats := hemlock.Stats{
		Workers: 2_111_222, Idle: 1_111_111, Running: 1_000_111, Waiting: 3_222_111, Submitted: 9e18, Completed: 9e18 - 1,
		Panicked: 1e9, Spawned: 1e12, Killed: 1e12, Recycled: 1e12, PeakWorkers: 2_147_483_647,
	}
	return page.Over(strings.Repeat("a-name-without-spaces", 6), defaults(), func() hemlock.Stats { return stats })
}

func TestPageRefreshesItself(t *testing.T) {
	pool := hemlock.New(hemlock.WithKillInterval(0))
	pages := newPage(t, page.Pool{Name: "dns", Pool: pool})
	b := browse(t)
	b.open(t, serve(t, pages), 1280, "light")
	require.Equal(t, "0", b.text(t, ".figures dd"))

	release := make(chan struct{})
	for range 1234 {
		pool.Run(func() { <-release })
	}
	until(t, "the page shows the new workers", func() bool { return b.text(t, ".figures dd") == "1,234" })
	until(t, "the plot shows them", func() bool {
		return strings.Contains(evaluate[string](t, b, `document.querySelector("svg.plot").dataset.points`), " 1234 0")
	})

	b.do(t, chromedp.Click(chromedp.ID("live")))
	require.Equal(t, "Paused", b.text(t, "#live"))
	close(release)
	require.NoError(t, pool.Shutdown(t.Context()))
	require.Equal(t, "1,234", b.text(t, ".figures dd"), "a paused page stands still")
	b.do(t, chromedp.Click(chromedp.ID("live")))
	until(t, "the page goes on", func() bool { return b.text(t, ".figures dd") == "0" })
	require.Empty(t, b.console())
}

func TestPointerShowsTheValuesBelowIt(t *testing.T) {
	b := browse(t)
	b.open(t, serve(t, stories["one"].tell(t)), 1280, "light")
	at := evaluate[[]float64](t, b, `(() => {
		const box = document.querySelector("svg.plot").getBoundingClientRect();
		return [box.left + box.width / 2, box.top + 60];
	})()`)
	b.do(t, chromedp.MouseEvent(chromedp.MouseMoved, at[0], at[1]))
	until(t, "the values are shown", func() bool { return !evaluate[bool](t, b, `document.getElementById("tip").hidden`) })
	require.Regexp(t, `^−5\.0 min running [\d,]+ idle [\d,]+$`,
		evaluate[string](t, b, `[...document.querySelectorAll("#tip p")].map((p) => [...p.childNodes].map((n) => n.textContent).join(" ").trim()).join(" ")`))
	until(t, "they outlive the next contents", func() bool {
		return evaluate[bool](t, b, `document.querySelector(".cross[visibility=visible]") !== null && !document.getElementById("tip").hidden`)
	})
	require.Empty(t, b.console())
}

func TestPageSaysWhenTheProcessIsGone(t *testing.T) {
	server := httptest.NewServer(stories["young"].tell(t))
	defer server.Close()
	b := browse(t)
	b.open(t, server.URL, 400, "dark")
	server.CloseClientConnections()
	server.Close()
	until(t, "the page says so", func() bool { return b.text(t, "#live") == "No answer" })
}

// serve returns the address of a server that ends with the test.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/debug/hemlock"
}

// A browser shows one page.
type browser struct {
	ctx context.Context

	mu   sync.Mutex
	said []string // what the page wrote to the console; mu guards it
}

// browse starts a browser without a window. Nothing in it needs the network, a sandbox
// (which root cannot have) or a profile of its user.
func browse(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox)
	for _, name := range []string{"disable-gpu", "disable-quic", "disable-component-update"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) }) // waits until its profile can be removed
	require.NoError(t, chromedp.Do(ctx))
	b := &browser{ctx: ctx}
	messages := chromedp.Console(ctx)
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.said = append(b.said, m.String()+" "+m.URL)
			b.mu.Unlock()
		}
	}()
	return b
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

// console returns what was written to it so far.
func (b *browser) console() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.said...)
}

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, steps...))
}

// open loads the page and waits until it has refreshed itself once.
func (b *browser) open(t *testing.T, url string, width int64, theme string) {
	t.Helper()
	b.do(t, chromedp.EmulateViewport(width, 900, chromedp.EmulateScale(2)), colours(theme), chromedp.Navigate(url))
	b.do(t, chromedp.Evaluate[chromedp.Void](`document.querySelector("section").dataset.old = "true"`))
	until(t, "the page refreshes itself", func() bool {
		return evaluate[bool](t, b, `document.querySelector("section").dataset.old === undefined`)
	})
}

func colours(theme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: theme},
				{Name: "prefers-reduced-motion", Value: "reduce"},
			},
		})
		return err
	})
}

// text returns what the first element of the selector shows.
func (b *browser) text(t *testing.T, selector string) string {
	t.Helper()
	return strings.TrimSpace(evaluate[string](t, b, fmt.Sprintf(`document.querySelector(%q).textContent`, selector)))
}

func evaluate[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	require.NoError(t, err)
	return v
}

// until waits for the condition, and looks less and less often.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !condition(); pause = min(2*pause, 200*time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "waited in vain until "+what)
		time.Sleep(pause)
	}
}
