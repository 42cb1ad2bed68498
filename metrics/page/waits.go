package page

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Waits keeps how long tasks of a pool waited until they began, during the last minute.
// Give its Observe to [hemlock.WithWaitObserver], and it to [Pool]. The zero Waits is
// empty and ready. It must not be copied. Its size is 5 KiB.
type Waits struct {
	parts [minute/part + 1]waitsPart // a ring; the one that is being filled is extra
}

const (
	minute = 60 // seconds
	part   = 10

	// finest is the width of the first bucket. From there on four buckets make a
	// power of two, so that a quantile is at most a quarter too large.
	finest  = 256 * time.Nanosecond
	buckets = 4 * 38 // up to 19 hours
)

// A waitsPart counts the waits of ten seconds.
type waitsPart struct {
	since  atomic.Int64 // which ten seconds: Unix time by part
	counts [buckets]atomic.Uint32
}

// Observe adds a wait. It may be called from any goroutine at any time.
func (w *Waits) Observe(wait time.Duration) {
	now := time.Now().Unix() / part
	p := &w.parts[now%int64(len(w.parts))]
	// Waits that others add before the counts are cleared are lost, and some of the
	// last minute may stay. A picture of a minute bears that.
	if since := p.since.Load(); since != now && p.since.CompareAndSwap(since, now) {
		for i := range p.counts {
			p.counts[i].Store(0)
		}
	}
	p.counts[bucket(wait)].Add(1)
}

func bucket(wait time.Duration) int {
	n := uint64(max(wait, finest) / finest)
	octave := bits.Len64(n) - 1
	return min(4*octave+int(n<<2>>octave&3), buckets-1)
}

// bound returns what no wait of the bucket is longer than.
func bound(bucket int) time.Duration {
	octave, quarter := bucket/4, bucket%4
	return time.Duration(4+quarter+1) << octave * finest / 4
}

// waitReport has the waits that 50 and 99 percent of all do not exceed.
type waitReport struct {
	P50 float64 `json:"p50_seconds"`
	P99 float64 `json:"p99_seconds"`
}

// report returns the quantiles of the last minute, or nil without a wait in it.
func (w *Waits) report() *waitReport {
	if w == nil {
		return nil
	}
	var counts [buckets]uint64
	var all uint64
	now := time.Now().Unix() / part
	for i := range w.parts {
		p := &w.parts[i]
		if now-p.since.Load() > minute/part {
			continue
		}
		for b := range counts {
			n := uint64(p.counts[b].Load())
			counts[b] += n
			all += n
		}
	}
	if all == 0 {
		return nil
	}
	return &waitReport{quantile(counts, (all+1)/2), quantile(counts, (99*all+99)/100)}
}

// quantile returns the wait in seconds that the first n waits do not exceed.
func quantile(counts [buckets]uint64, n uint64) float64 {
	for b, c := range counts {
		if c >= n {
			return bound(b).Seconds()
		}
		n -= c
	}
	return 0
}

// facts returns the quantiles as figures.
func (r *waitReport) facts() []fact {
	if r == nil {
		return nil
	}
	return []fact{{Name: "median wait", Value: wait(r.P50)}, {Name: "p99 wait", Value: wait(r.P99)}}
}

// wait returns a time with two digits.
func wait(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	digits := time.Duration(1)
	for d/digits >= 100 {
		digits *= 10
	}
	return duration(d.Round(digits))
}
