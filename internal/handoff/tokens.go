package handoff

import (
	"runtime"
	"sync"

	"go.uber.org/atomic"
)

// A token says which shard is a processor's.
type token struct {
	shard *Shard
	round uint32
}

// tokens finds the shard of a processor without runtime internals. Get and Put
// of a sync.Pool work on a list of the processor they run on, so a processor
// mostly gets the token it put back, without a lock.
//
// A garbage collection may drop a processor's token. The next one drawn is of
// the next shard in turn, which may be another processor's. So tokens are dealt
// in rounds: the first draw after all shards have been dealt begins a new round, in
// which every processor draws again, and each has a shard of its own again.
//
// With more processors than shards no round would last: its last processors would
// begin the next one, and every processor would draw for each task. Then no round
// begins, and processors share shards as they draw.
type tokens struct {
	pool  sync.Pool
	drawn atomic.Uint32 // tokens made so far

	// round is the round of the last token that began one. It is written once
	// in a round, and read each time. A reader that sees it late goes on with the
	// token it has, which is right, too.
	round atomic.Uint32

	// procs is GOMAXPROCS as it was when the last token was made. It follows the
	// limit of a container while the process runs. A processor that is new has no
	// token, so it draws one. A fall is seen later, which does no harm.
	procs atomic.Int32
}

func (t *tokens) shard(shards []Shard) *Shard {
	own, _ := t.pool.Get().(*token)
	own = t.current(own, shards)
	t.pool.Put(own)
	return own.shard
}

// current returns the token, or another if it is lost or of an earlier round.
func (t *tokens) current(own *token, shards []Shard) *token {
	// As a difference, since rounds may overflow.
	if own == nil || int32(own.round-t.round.Load()) < 0 {
		return t.draw(shards)
	}
	return own
}

func (t *tokens) draw(shards []Shard) *token {
	n, all := t.drawn.Add(1)-1, uint32(len(shards))
	own := &token{shard: &shards[n%all], round: n / all}
	procs := runtime.GOMAXPROCS(0)
	t.procs.Store(int32(procs))
	if n%all == 0 && procs <= len(shards) {
		t.round.Store(own.round)
	}
	return own
}
