package page

import (
	"time"

	"example.com/hemlock"
)

const (
	step   = time.Second      // between two samples
	window = 10 * time.Minute // what the plots show at most

	// spacing is the least time between two samples of the history. It is below
	// step, because neither a ticker nor a browser keeps exact time, and every
	// second sample would be left out.
	spacing = step - step/10
)

// A sample is what a pool said at one moment.
type sample struct {
	at time.Duration // since the page was made
	hemlock.Stats
}

// A history is a ring of the newest samples. It never grows, so that a sampler
// allocates nothing.
type history struct {
	ring []sample
	next int // place of the next sample
	held int
}

// newHistory has room for the whole window at the smallest spacing.
func newHistory() history {
	return history{ring: make([]sample, int(window/spacing)+2)}
}

// record adds the sample, unless the last one was taken just before it: many open pages
// must not push the past out.
func (h *history) record(s sample) {
	if h.held > 0 && s.at-h.last().at < spacing {
		return
	}
	h.ring[h.next] = s
	h.next = (h.next + 1) % len(h.ring)
	h.held = min(h.held+1, len(h.ring))
}

func (h *history) last() sample { return h.ring[(h.next+len(h.ring)-1)%len(h.ring)] }

// until returns the samples of the window that ends with now, oldest first and
// now last.
func (h *history) until(now sample) []sample {
	list := make([]sample, 0, h.held+1)
	for i := range h.held {
		s := h.ring[(h.next+len(h.ring)-h.held+i)%len(h.ring)]
		if now.at-s.at <= window {
			list = append(list, s)
		}
	}
	if len(list) > 0 && list[len(list)-1].at == now.at {
		list = list[:len(list)-1]
	}
	return append(list, now)
}
