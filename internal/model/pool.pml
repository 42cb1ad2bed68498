/*
 * The protocol of the pool: how tasks and pills are handed over, how they are
 * counted, and how the pool comes to its end. It follows pool.go, worker.go, killer.go, end.go and
 * internal/handoff step by step, and quotes at each step the Go code it is for.
 *
 * Goroutines that run the same code are alike, so they have no names: for each
 * place in the code there is the number of goroutines whose next step is there,
 * and a step moves one of them on. That is exact: two states that differ only in
 * which worker is where are one state.
 *
 * A step is what Go does indivisibly: one atomic operation, one attempt to send
 * or one receive. Where a step is more, or one is left out, a comment says why
 * no goroutine can tell. Where a comment says choice, the model may do more than
 * the code: what holds for all choices holds for those of the code. A name that
 * begins with g is a ghost: the code has no such variable, and no step depends
 * on it. A variable that no step will read again is set to 0.
 */

#ifndef SUBMITTERS
#define SUBMITTERS 3 /* calls of Submit */
#endif
#ifndef MIN
#define MIN 0 /* options.minimum */
#endif
#ifndef SHARDS
#define SHARDS 2 /* shards that tasks come from, 1 or 2; there are 2 */
#endif
#ifndef PLACES
#define PLACES 1 /* places at a shard */
#endif

/* Pool.count: one word in Go, so a step may touch both at once. */
byte workers;
bit closed;

/* Pool.accepted minus completed tasks, once the pool is closed; see drain. */
short outstanding;

#ifdef STATS
/* backlog.pushed and popped, which are read one after the other. */
byte pushed[2];
byte popped[2];
#endif

/* Pool.drained, true once it is closed, and Pool.closing. */
bit drained;
bit closing;

/* gate.word: the count is that of both gates, for only their sum is ever read.
 * A refused accept adds to the word too, but no step reads that of a closed gate. */
byte counted;
bit shut[2];

/* shard.completed, the sum. */
byte completed;

/* shard.sent minus shard.begun. Each is read only to be compared with the other,
 * and the second look of assign reads the two one after the other. */
short onTheirWay[2];

/* The backlog of a shard: the number of tasks on it, pushed minus popped, for
 * tasks are alike. A push is one step: no goroutine looks for a task before it is
 * counted. So is a pop: outMu keeps out others that pop. Those wait for it, or go
 * away as if there were no task, which is a choice they have at any time. A reader
 * for which pushed equals popped saw the backlog empty when it read the first. */
byte backlog[2];

/* idle.taken, a bit for each place of both shards. */
bit taken[2 * PLACES];

/* Unbuffered channels: whether a worker waits at a place, in a receive, and
 * has been sent nothing, and how many such workers wait on the shared channel. A
 * non-blocking send succeeds if and only if there is one. It moves the worker on
 * at once: the worker may wake up late, but as late as its next step. */
bit atPlace[2 * PLACES];
byte onShared;

/* Handoff.mu, and Handoff.retired, which is also true of the channels: they are
 * closed under mu, only receivers can see that, and each of them sees one. A place
 * that is furnished later gets a closed channel, which its worker sees. */
bit mu;
bit channelsClosed;

/* killer.armed, killer.wake, and the go statement in arm. */
bit armed;
bit wake;
bit goKill;

/* killer.killed minus killer.swallowed. The killer reads the two one after the
 * other, but it alone writes the first. In a closed pool the difference decides
 * only whether a killer that Shutdown has overtaken sends one more pill: there
 * it is not kept, and the killer has the choice. */
short underWay;

/* Submitters that have not called yet, and the places of those that have.
 *
 * A worker that relays is two goroutines here. One hands the delivery over, as a
 * submitter does. The other runs the worker's own task, and need not wait for the
 * first: it may begin late, but as late as its task may end.
 *
 * A goroutine that offers is at a shard and at a try: the places of the own shard,
 * those of the other, the shared channel. */
#define TRIES (2 * PLACES)
byte callers = SUBMITTERS;
byte assigning[2];              /* holds an accepted task */
byte lookingAgain[2];           /* has pushed it */
byte offering[2 * (TRIES + 1)]; /* holds a delivery, as at the next two */
byte raising[2];
byte arming[2];
byte freeing[2 * PLACES];       /* has given it to the worker at this place */
#ifdef SENT_LATE
byte sending[2];
#endif

#define OFFERING(shard, try) offering[(shard) * (TRIES + 1) + (try)]
#define PLACE(shard, try) \
	((try) < PLACES -> (shard) * PLACES + (try) : (1 - (shard)) * PLACES + (try) - PLACES)

/* Submitters that were refused and have not returned. */
byte refused;

/* The places of workers at a shard. The first two hold a delivery, the next two
 * a task that has begun. */
byte received[2];  /* was sent it or born with it, and has not begun */
byte relaying[2];  /* has begun, and has not looked at the backlog */
byte running[2];
byte blocked[2];   /* runs a task that waits until all have begun */
byte looking[2];   /* for what to do next */
byte claiming[2];
byte placing[2 * PLACES];

/* The places of workers that leave; those with a pill only in an open pool. */
byte leaving;
byte leavingPill;
byte waking;
byte wakingPill;
byte left;        /* counted out, the killer told */
byte swallowing;

/* The places of killers that have disarmed. Of others there is at most one. */
byte rechecking;
byte recheckingClosed;
byte retaking;
byte going;

/* The places of goroutines that call drain, and of their pills. */
byte drains;
byte poisoning;
byte counting;
byte draining;

byte gOpen;     /* accepted tasks that have not ended */
byte gAccepted; /* accepted tasks, until Shutdown has counted them */
bit gRefused;   /* a Submit has returned ErrClosed */
bit gKiller;    /* the armed killer has been started */
bit gAsleep;    /* it waits for its wake channel */
bit gRetaken;   /* it was armed by itself and has not looked yet */
bit gDeciding;  /* it found a spare worker and has not sent the pill */
byte gQuit;     /* workers lost to Goexit while it is so */
byte gPills;    /* pills delivered in an open pool to workers that still count */
byte gReturned; /* Shutdowns that have returned */

#define BOTH(place) (place[0] + place[1])
#if PLACES == 1
#define ALL(place) BOTH(place)
#define OFFERED(s) (OFFERING(s, 0) + OFFERING(s, 1) + OFFERING(s, 2))
#else
#define ALL(place) (place[0] + place[1] + place[2] + place[3])
#define OFFERED(s) (OFFERING(s, 0) + OFFERING(s, 1) + OFFERING(s, 2) + OFFERING(s, 3) + \
	OFFERING(s, 4))
#endif
#if defined(COUNT_AFTER_GO) || defined(ARM_AFTER_GO)
#define SENT(s) (OFFERED(s) + raising[s] + received[s])
#else
#define SENT(s) (OFFERED(s) + raising[s] + arming[s] + received[s])
#endif
#define BEGUN (BOTH(relaying) + BOTH(running) + BOTH(blocked))
#define HELD (BOTH(assigning) + BOTH(backlog) + SENT(0) + SENT(1) + BEGUN)
#define PARKED (ALL(atPlace) + onShared)
#define IDLING (BOTH(looking) + BOTH(claiming) + ALL(placing))
#define STAYING (BOTH(received) + BEGUN + IDLING + PARKED)
#define LEAVING (leaving + leavingPill + waking + wakingPill + left + swallowing)
#define DISARMED (rechecking + recheckingClosed + retaking + going)
#define DRAINING (drains + poisoning + counting + draining)
#ifdef SENT_LATE
#define COUNTING_LATE BOTH(sending)
#else
#define COUNTING_LATE 0
#endif
#define MOVING (refused + COUNTING_LATE + BOTH(assigning) + BOTH(lookingAgain) + SENT(0) + SENT(1) + \
	BOTH(arming) + ALL(freeing) + BEGUN + IDLING + LEAVING + DISARMED + DRAINING)

/* A place is taken while a worker is about to wait there, waits, or has been sent
 * something and the sender has yet to free it; each place has one worker. */
#define BAD_PLACE (ALL(taken) < ALL(placing) + ALL(atPlace) + ALL(freeing))

/* The invariant of the relay: while tasks wait at a shard, a worker is on its way
 * there, or a running goroutine has yet to look at the backlog. */
#ifdef LOOK_BEFORE_BEGUN
#define RELAYED(s) (backlog[s] == 0 || onTheirWay[s] > 0 || lookingAgain[s] > 0)
#define ON_THEIR_WAY(s) (SENT(s) + relaying[s])
#else
#define RELAYED(s) (backlog[s] == 0 || onTheirWay[s] > 0 || lookingAgain[s] + relaying[s] > 0)
#define ON_THEIR_WAY(s) SENT(s)
#endif

inline move(from, to) { from--; to++ }

/* Some goroutine stands at a place for shard s. */
#define AT(place) \
	BOTH(place) > 0; \
	if \
	:: place[0] > 0 -> s = 0 \
	:: place[1] > 0 -> s = 1 \
	fi

/* Some worker or its deliverer stands at place p. */
#if PLACES == 1
#define AT_PLACE(at) \
	ALL(at) > 0; \
	if \
	:: at[0] > 0 -> p = 0 \
	:: at[1] > 0 -> p = 1 \
	fi
#else
#define AT_PLACE(at) \
	ALL(at) > 0; \
	if \
	:: at[0] > 0 -> p = 0 \
	:: at[1] > 0 -> p = 1 \
	:: at[2] > 0 -> p = 2 \
	:: at[3] > 0 -> p = 3 \
	fi
#endif

/* Every accepted task waits on a backlog, or is held by exactly one goroutine that
 * will see to it. */
inline checkTasks() { assert(gOpen == HELD) }

/* An attempt to send: Go panics on a closed channel even if no worker waits. */
inline checkOpen() { assert(!channelsClosed) }

/* l.taken.Sub(1 << place). The bit is set while a worker waits at the place, so
 * l.taken.Load(), which comes before each attempt, is no step: where the bit is
 * not set, the attempt would fail, and where it is set, the attempt decides. With
 * more places than one the word may be older than the attempt, see tryPlace. */
inline free(p) { assert(taken[p] && !atPlace[p]); taken[p] = 0 }

/* p.drain() */
inline drain() { drains++ }

/* p.start(at, task, false): go w.work(). A newborn differs from a worker that
 * was sent the task only in that it does not recycle itself at once. */
inline startWorker() { received[s]++ }

/* p.count.raise() */
inline raise() { assert(!drained); workers++ }

/* s.sent.Add(1), and a delivery to offer. */
inline send() {
#ifndef SENT_LATE
	onTheirWay[s]++;
#endif
	OFFERING(s, 0)++
}

/* What the mistake does after a delivery was handed over. */
inline handedOver() {
#ifdef SENT_LATE
	sending[s]++
#else
	skip
#endif
}

/* s.relay(), or s.backlog.pop() of a pusher. That sent is raised in the same step
 * only lets others see a worker on its way, and go, where they would have
 * relayed; they have that choice later, too. */
inline relay() {
	if
	:: backlog[s] > 0 -> pop(); send()
	:: else
	fi
}

inline pop() {
	backlog[s]--;
#ifdef STATS
	popped[s]++
#endif
}

/* trySend to the worker at a place, as far as it is the turn of this try. With
 * more places than one the bits were read before the first try, and a worker that
 * came later is passed over: that is a choice here. */
inline tryPlace(k) {
	OFFERING(0, k) + OFFERING(1, k) > 0;
	if
	:: OFFERING(0, k) > 0 -> s = 0
	:: OFFERING(1, k) > 0 -> s = 1
	fi;
	checkTasks();
	checkOpen();
	p = PLACE(s, k);
	if
	:: atPlace[p] -> atPlace[p] = 0; freeing[p]++; OFFERING(s, k)--; received[s]++; handedOver()
	:: !atPlace[p] || k % PLACES > 0 -> move(OFFERING(s, k), OFFERING(s, k + 1))
	fi;
	s = 0;
	p = 0
}

/* Calls of Submit, for one task each, and deliveries on their way to a worker. A
 * task that submits is a submitter too: it only comes in fewer orders. */
proctype Submitters() {
	byte s, p;

endSubmitters:
	do
	:: atomic {
		/* at := p.handoff.Accept() at the shard of the processor: a hint, any will do */
		callers > 0;
		callers--;
		if
		:: s = 0
#if SHARDS > 1
		:: s = 1
#endif
		fi;
		/* at.gate.accept(): g.word.Add(closed<<1)&closed == 0 */
		if
		:: shut[s] -> refused++
		:: !shut[s] ->
			/* No task is accepted once a submitter was told of the end. */
			assert(!closed && !drained && !gRefused);
#ifndef COUNT_LATE
			counted++;
#endif
			gAccepted++;
			gOpen++;
			assigning[s]++
		fi;
		s = 0
	   }
	:: atomic {
		/* h.Close(); return nil: closing.Do waits for Shutdown, which
		 * has closed a gate and so is in there. */
#ifdef REFUSED_EARLY
		refused > 0;
#else
		refused > 0 && shut[0] && shut[1];
#endif
		refused--;
		gRefused = 1
	   }
	:: atomic {
		/* at.assign: whether enough workers are on their way is a choice. So is
		 * what the meter says, how many are enough, and how old the answer is when
		 * the task is pushed. */
		AT(assigning);
		checkTasks();
		assigning[s]--;
#ifdef COUNT_LATE
		counted++;
#endif
		if
		/* s.send(task) */
		:: send()
		/* at.backlog.push(task) */
		:: backlog[s]++;
#ifdef STATS
			pushed[s]++;
#endif
#ifndef NO_SECOND_LOOK
			lookingAgain[s]++
#endif
		fi;
		s = 0
	   }
	:: atomic {
		/* case s.onTheirWay() == 0: sent was read before, so the difference may be
		 * too small, but if it is above 0 it was so when begun was read. case
		 * s.overdue(): to yield at the end of a call changes nothing here. */
		AT(lookingAgain);
		lookingAgain[s]--;
		if
		:: onTheirWay[s] > 0
		/* s.relay(): not to relay is a choice up to this moment. */
		:: relay()
		fi;
		s = 0
	   }
	/* h.offer(d): d.at.idle.offer(d), then the other shard's */
	:: atomic { tryPlace(0) }
	:: atomic { tryPlace(1) }
#if PLACES > 1
	:: atomic { tryPlace(2) }
	:: atomic { tryPlace(3) }
#endif
	:: atomic {
		/* trySend(h.shared, d) */
		OFFERING(0, TRIES) + OFFERING(1, TRIES) > 0;
		if
		:: OFFERING(0, TRIES) > 0 -> s = 0
		:: OFFERING(1, TRIES) > 0 -> s = 1
		fi;
		checkTasks();
		checkOpen();
		OFFERING(s, TRIES)--;
		if
		:: onShared > 0 -> move(onShared, received[s]); handedOver()
		:: else -> raising[s]++
		fi;
		s = 0
	   }
	:: atomic { AT_PLACE(freeing); free(p); freeing[p]--; p = 0 }
#ifdef SENT_LATE
	:: atomic { AT(sending); sending[s]--; onTheirWay[s]++; s = 0 }
#endif
#ifndef COUNT_AFTER_GO
	:: atomic {
		/* p.countSpawn(): workers := p.count.raise() */
		AT(raising);
		checkTasks();
#ifdef SPAWN_REFUSED
		if
		:: closed -> raising[s]--; s = 0; goto endSubmitters
		:: else
		fi;
#endif
		raise();
		raising[s]--;
		/* p.killer.noteSpawn(workers): if workers > k.minimum. The time
		 * it notes is part of the choice that the killer has. */
		if
		:: workers > MIN -> arming[s]++
#ifdef ARM_AFTER_GO
			; startWorker()
#endif
		:: else -> startWorker(); handedOver()
		fi;
		s = 0
	   }
	:: atomic {
		/* k.tryArm(): !k.armed.Load() && k.armed.CompareAndSwap(false, true).
		 * Either fails when armed is set, and nothing else is done. */
		AT(arming);
		checkTasks();
		arming[s]--;
		if
		:: armed
		/* go k.run() */
		:: else -> assert(!drained && !goKill && !gKiller); armed = 1; goKill = 1
		fi;
#ifndef ARM_AFTER_GO
		/* go w.work(): it only enables what may come at any time. */
		startWorker();
		handedOver();
#endif
		s = 0
	   }
#else
	:: atomic { AT(raising); move(raising[s], arming[s]); startWorker(); s = 0 }
	:: atomic { AT(arming); raise(); arming[s]--; s = 0 }
#endif
	od
}

#ifdef BLOCKS
#define ALL_HAVE_BEGUN (callers == 0 && HELD == BEGUN)
#endif

/* w.at.Complete() */
inline complete() {
	checkTasks();
	assert(gOpen > 0 && !drained);
	gOpen--;
	completed++;
	if
	:: closed -> outstanding--; completed = 0
	:: else
	fi
}

proctype Workers() {
	byte s, p;

endWorkers:
	do
	:: atomic {
		/* w.begin(): if w.at.Settle() { w.yield() }, s.begun.Add(1). To yield is
		 * to come here later. So whether a turn is owed is no variable: it is a hint,
		 * and the model yields as often and for as long as it likes. To yield after
		 * begun was raised is to stay at relaying, which breaks no promise either. */
		AT(received);
		checkTasks();
		assert(!drained);
		received[s]--;
		if
#ifdef LOOK_BEFORE_BEGUN
		:: relay(); relaying[s]++
#else
		:: onTheirWay[s]--; relaying[s]++
#ifdef RECYCLE_BEFORE_BEGIN
		:: running[s]++
#endif
#ifdef RECYCLE_BEFORE_RELAY
		:: onTheirWay[s]--; running[s]++
#endif
#endif
		fi;
		s = 0
	   }
	:: atomic {
		/* s.relay() */
		AT(relaying);
		checkTasks();
#ifdef LOOK_BEFORE_BEGUN
		onTheirWay[s]--;
#else
#ifndef NO_RELAY
		relay();
#endif
#endif
		relaying[s]--;
		if
		:: running[s]++
		/* if w.ran == w.most: the jitter makes it a choice. w.recycle():
		 * go w.work(), which inherits, and so does not begin. The old goroutine
		 * does nothing to the pool any more, for end finds w.replaced set. */
		::
#ifdef HEIR_BEGINS
			received[s]++
#else
			running[s]++
#endif
#ifdef RECYCLE_LEAVES
			; leaving++
#endif
#ifdef RECYCLE_RUNS_TASK
			; running[s]++
#endif
		fi;
		s = 0
	   }
	:: atomic {
		/* task() ends. */
		AT(running);
		complete();
		if
		/* It returned. */
		:: move(running[s], looking[s])
		/* It called runtime.Goexit, or panicked and the handler returned. */
		:: move(running[s], leaving)
		fi;
		s = 0
	   }
#ifdef BLOCKS
	/* task() waits until all have begun, and returns. */
	:: atomic { !ALL_HAVE_BEGUN && BOTH(running) > 0; AT(running); move(running[s], blocked[s]); s = 0 }
	:: atomic { ALL_HAVE_BEGUN && BOTH(blocked) > 0; AT(blocked); complete(); move(blocked[s], looking[s]); s = 0 }
#endif
	:: atomic {
		AT(looking);
		if
		/* w.drain(): w.at.Next() may fail while another holds outMu, and a worker
		 * whose time slice is over does not call it. When is a choice: a worker may
		 * go to wait, or leave a closed pool, though tasks wait. So a failure is no
		 * step. The worker runs the task, or recycles, which is the same here. */
		:: backlog[s] > 0 -> pop(); move(looking[s], running[s])
		/* if w.pool.closed.Load() { return false } */
#ifdef NO_RELAY
		:: closed && backlog[s] == 0 -> move(looking[s], leaving)
		:: !closed && backlog[s] == 0 -> move(looking[s], claiming[s])
#else
		:: closed -> move(looking[s], leaving)
		:: !closed -> move(looking[s], claiming[s])
#endif
		fi;
		s = 0
	   }
	:: atomic {
		/* w.at.Take(): l.taken.CompareAndSwap(taken, taken|1<<place)
		 * of the lowest free place. A swap that fails is no step. */
		AT(claiming);
		claiming[s]--;
		p = s * PLACES;
#if PLACES > 1
		if
		:: taken[p] -> p++
		:: else
		fi;
#endif
		if
		:: !taken[p] -> taken[p] = 1; placing[p]++
		/* return nil; <-h.shared: it was full is a choice up to this moment. */
		:: onShared++
		fi;
		s = 0;
		p = 0
	   }
	/* <-place */
	:: atomic { AT_PLACE(placing); placing[p]--; assert(!atPlace[p]); atPlace[p] = 1; p = 0 }
	/* A receive from a closed channel gives the zero delivery: w.pill = true. The
	 * bit of the place is not cleared any more, but a worker that takes the place
	 * once more and one that goes elsewhere find a closed channel alike. */
	:: atomic { channelsClosed && ALL(atPlace) > 0; AT_PLACE(atPlace); atPlace[p] = 0; taken[p] = 0; leaving++; p = 0 }
	:: atomic { channelsClosed && onShared > 0; move(onShared, leaving) }
	:: atomic {
		/* Pool.leave: workers := p.count.lower() */
		leaving > 0;
		assert(workers > 0);
		workers--;
		if
		:: gDeciding -> gQuit++
		:: else
		fi;
		/* k.noteLeave: if workers <= k.minimum */
		if
#ifndef NO_WAKE_ON_LEAVE
		:: workers <= MIN -> move(leaving, waking)
#endif
		:: else -> move(leaving, left)
		fi
	   }
	:: atomic {
		leavingPill > 0;
		assert(workers > 0 && !closed);
		workers--;
		gPills--;
		if
#ifndef NO_WAKE_ON_LEAVE
		:: workers <= MIN -> move(leavingPill, wakingPill)
#endif
		:: else -> move(leavingPill, swallowing)
		fi
	   }
	/* k.wakeUp() */
	:: atomic { waking > 0; wake = 1; move(waking, left) }
	:: atomic { wakingPill > 0; wake = 1; move(wakingPill, swallowing) }
	/* if p.closed.Load() */
	:: atomic {
		left > 0;
		left--;
		if
		:: closed -> drain()
		:: else
		fi
	   }
	/* if p.closed.Load(), and if w.pill { w.pool.killer.noteSwallowed() }, while
	 * the pool is open. */
	:: atomic { swallowing > 0; swallowing--; underWay-- }
	od
}

/* p.draining.Do(func() { close(p.drained) }) */
inline closeDrained() {
	if
	:: drained
	:: !drained ->
		drained = 1;
		assert(workers == 0 && STAYING == 0);
		assert(gOpen == 0 && HELD == 0 && BOTH(backlog) == 0);
		assert(leaving == 0 && leavingPill == 0);
		/* A killer that disarmed may arm itself once more, see retaking. */
#ifdef STRICT_DISARM
		assert(!armed)
#else
		assert(!armed || gRetaken)
#endif
	fi
}

inline closeChannels() {
#ifdef PILLS_ONLY
	poisoning++
#else
	channelsClosed = 1
#endif
}

/* if p.workers() > 0 || p.killer.armed.Load() { return }, and what follows does
 * nothing the second time. */
inline countWorkers() {
	if
	:: drained
#ifdef DRAIN_WORKERS_FIRST
	:: !drained -> closeDrained()
#else
	:: !drained && (workers > 0 || armed) -> assert(gOpen == 0)
	:: !drained && workers == 0 && !armed -> assert(gOpen == 0); draining++
#endif
	fi
}

/* Pool.drain. It is fewer steps than loads:
 *
 * The shards' counts of completed tasks are read as one. If their sum is found
 * short, it was short when the first was read. Once it is complete it stays so,
 * until the channels are closed too. Retire waits for nothing under mu,
 * and does nothing when called again. Of accepted and completed the difference
 * is kept, for they are compared and no more.
 *
 * The workers and armed are read as one for the same reason: no task is to come,
 * so the workers only become fewer. */
#ifdef RETIRE_EARLY
#define TO_COME (outstanding != BOTH(backlog))
#else
#define TO_COME (outstanding != 0)
#endif

proctype Drainers() {
endDrainers:
	do
	:: atomic {
		drains > 0 && (TO_COME || channelsClosed || !mu);
		if
		/* if completed != p.accepted { p.handoff.Pill(); return } */
		:: TO_COME -> poisoning++
		/* p.handoff.Retire() does nothing: the next step is part of this. */
		:: !TO_COME && channelsClosed -> countWorkers()
		/* p.handoff.Retire() */
		:: !TO_COME && !channelsClosed -> closeChannels(); counting++
		fi;
		drains--
	   }
	:: atomic { counting > 0; countWorkers(); counting-- }
	:: atomic { draining > 0; closeDrained(); draining-- }
	od
}

/* A worker has received the zero delivery. The minimum holds when the
 * pill has been delivered, leaving aside workers lost to Goexit since the killer
 * decided. In a closed pool there is no minimum, and a worker with a pill is like
 * any other. */
inline pill() {
	if
	:: closed -> leaving++
	:: else -> leavingPill++; gPills++; assert(workers + gQuit >= MIN + gPills)
	fi;
	gDeciding = 0;
	gQuit = 0
}

/* Handoff.Pill, which goes on at delivered or at nobody. The lock is taken in
 * the same step as the first send: taken earlier, it would only have made others
 * wait longer. It is released with the last step under it. */
inline poison() {
#ifdef NO_MUTEX
	if
	:: channelsClosed -> goto nobody
	:: else
	fi;
#endif
	atomic {
#ifndef NO_MUTEX
		/* h.mu.Lock(); if h.retired { return false } */
		!mu;
		if
		:: channelsClosed -> goto nobody
		:: else
		fi;
#endif
		/* trySend(h.shared, delivery{}) */
		checkOpen();
		if
		:: onShared > 0 -> onShared--; pill(); goto delivered
		:: else ->
#ifndef NO_MUTEX
			mu = 1;
#endif
			p = PLACES - 1
		fi
	};
next:	/* h.shards[i].idle.pill(): the highest place first. It may be passed over
	 * as in tryPlace. */
	atomic {
		checkOpen();
		if
		:: atPlace[p] -> atPlace[p] = 0; pill()
		:: !atPlace[p] || PLACES > 1 ->
			p = (p % PLACES > 0 -> p - 1 : p + 2 * PLACES - 1);
			if
			:: p < 2 * PLACES -> goto next
			:: else -> p = 0; mu = 0; goto nobody
			fi
		fi
	};
	atomic { free(p); p = 0; mu = 0; goto delivered }
}

/* Handoff.Pill in drain. A goroutine that holds mu is here; one that waits is not. */
proctype Poisoner() {
	byte p;

endPoisoner:
	atomic { poisoning > 0 && !mu; poisoning-- };
	poison();
delivered:
nobody:	goto endPoisoner
}

/* killer.run, as long as armed is set on behalf of this killer. */
proctype Killer() {
	short seen;
	byte p;

endUnarmed:
	atomic { goKill; goKill = 0; gKiller = 1 };
kill:	/* for k.needed(): k.crew.workers() > k.minimum */
	if
	:: workers <= MIN -> goto disarm
	:: else
	fi;
	/* && !k.crew.isClosed() */
	atomic {
#ifndef KILLER_IGNORES_CLOSED
		if
		:: closed -> goto disarm
		:: else
		fi;
#endif
		gRetaken = 0;
		/* if wait := k.wait(lastRound); wait > 0: what the clock says is a
		 * choice. To sleep until the timer fires is to come here later. So
		 * a killer asleep here waits for a token: an interval may be a century. */
		if
		:: goto round
		:: gAsleep = 1
		fi
	};
	/* case <-k.wake: */
	atomic { wake; wake = 0; gAsleep = 0; goto kill };
round:	/* k.maySpare() */
#ifdef SPARE_WORKERS_FIRST
	atomic { seen = workers; gDeciding = !closed };
	atomic {
		if
		:: closed || seen - underWay > MIN -> seen = 0
		:: closed || seen - underWay <= MIN -> seen = 0; gDeciding = 0; gQuit = 0; goto kill
		fi
	};
#else
	/* underWay := k.killed.Load() - k.swallowed.Load() */
	seen = underWay;
	/* return k.crew.workers()-underWay > k.minimum */
	atomic {
		if
		:: closed || workers - seen > MIN -> seen = 0; gDeciding = !closed
		:: closed || workers - seen <= MIN -> seen = 0; goto kill
		fi
	};
#endif
	/* k.crew.kill(): p.handoff.Pill() */
#ifdef BLOCKING_PILL
	/* h.mu.Lock(); h.shared <- delivery{} */
	atomic { !mu; mu = 1 };
	atomic {
		onShared > 0;
		checkOpen();
		onShared--;
		pill();
		mu = 0
	};
#else
	poison();
#endif
delivered:
	atomic {
		/* k.killed.Inc() */
		if
		:: closed
		:: else -> underWay++
		fi;
		/* One pill a round or more: a sixteenth of the idle workers. */
		if
		:: goto kill
		:: goto round
		fi
	};
nobody:	atomic { gDeciding = 0; gQuit = 0; goto kill };
disarm:	/* k.disarm(): k.armed.Store(false) */
	atomic {
		armed = 0;
		gRetaken = 0;
		gKiller = 0;
#ifdef NO_RECHECK
		going++;
#else
		rechecking++;
#endif
		goto endUnarmed
	}
}

/* The rest of killer.disarm and run. While one killer is here another may be armed. */
proctype Disarmed() {
endDisarmed:
	do
	:: atomic {
		/* return !k.needed(): k.crew.workers() > k.minimum */
		rechecking > 0;
		if
		:: workers > MIN -> move(rechecking, recheckingClosed)
		:: else -> move(rechecking, going)
		fi
	   }
	:: atomic {
		/* && !k.crew.isClosed() */
		recheckingClosed > 0;
		if
		:: closed -> move(recheckingClosed, going)
		:: else -> move(recheckingClosed, retaking)
		fi
	   }
	:: atomic {
		/* || !k.tryArm(): meanwhile the pool may have been closed and drained, and
		 * kill will find nothing to do. */
		retaking > 0;
		if
		:: armed -> move(retaking, going)
		:: else -> assert(!goKill && !gKiller); retaking--; armed = 1; goKill = 1; gRetaken = 1
		fi
	   }
	:: atomic {
		/* if k.crew.isClosed() { k.crew.drain() } */
		going > 0;
		going--;
#ifndef KILLER_DOES_NOT_DRAIN
		if
		:: closed -> drain()
		:: else
		fi
#endif
	   }
	od
}

inline checkRelayed() {
	assert(BOTH(backlog) == 0);
	assert(onTheirWay[0] == 0 && onTheirWay[1] == 0)
}

/* What holds whenever nothing moves in an open pool. */
inline checkQuiet() {
	if
	:: MOVING == 0 && !goKill && (!gKiller || (gAsleep && !wake)) ->
		/* The killer is armed exactly while there are spare workers. */
		assert(armed == (workers > MIN));
		assert(armed == gKiller);
		/* Every worker waits, and those places are taken where one does. */
		assert(PARKED == workers);
		assert(ALL(taken) == ALL(atPlace));
		/* No task waits, and no worker is on its way. */
		checkRelayed();
		/* Every accepted task was counted, and has ended. */
		assert(gOpen == 0);
		assert(counted == gAccepted && completed == gAccepted);
		/* Every pill has been swallowed. */
		assert(underWay == 0 && gPills == 0)
	:: else
	fi
}

/* Of two concurrent Shutdowns the one that p.closing.Do lets in, at any moment. A
 * ctx that ends would let it return early and change nothing else. */
proctype Shutdown() {
	atomic {
		/* p.closing.Do(p.close) */
		closing = 1;
		checkQuiet();
		/* p.handoff.Close(): gate.close, twice. The swap that ends its loop found
		 * the word unchanged since the load, so the last turn is one step, and
		 * the others are none. */
		shut[0] = 1
	};
	shut[1] = 1;
	atomic {
		/* p.accepted = p.handoff.Counts().Accepted: of closed gates, so of constants.
		 * p.closed.Store(true): no goroutine reads accepted before. */
		assert(counted == gAccepted);
		outstanding = counted - completed;
		counted = 0;
		completed = 0;
		closed = 1;
		gAccepted = 0;
		/* From here on no pill is counted. */
		underWay = 0;
		leaving = leaving + leavingPill;
		leavingPill = 0;
		waking = waking + wakingPill;
		wakingPill = 0;
		/* Some that are swallowing have not looked at closed yet. */
		do
		:: swallowing > 0 -> move(swallowing, left)
		:: swallowing > 0 -> swallowing--
		:: else -> break
		od;
		gPills = 0;
		gDeciding = 0;
		gQuit = 0
	};
#ifdef CLOSE_EARLY
	atomic { !mu; channelsClosed = 1 };
#endif
#ifndef NO_WAKE_IN_CLOSE
	/* p.killer.wakeUp() */
	wake = 1;
#endif
	/* p.drain(), like any other: not to wait for it only returns earlier. */
	drain();
	/* case <-p.drained: */
	atomic { drained; assert(gOpen == 0 && workers == 0); gReturned++ };
	/* When all is over: timeout is true when nothing else can move. */
	timeout;
	assert(gReturned == 2 && callers == 0);
	assert(MOVING == 0 && PARKED == 0 && workers == 0);
	checkRelayed();
	assert(!armed && !goKill && !gKiller)
}

/* The other, at any moment after: it waits until the first has left p.closing.Do
 * and then for drained. To wait for drained alone is to return earlier. */
proctype SecondShutdown() {
	atomic { closing && drained; assert(gOpen == 0 && workers == 0); gReturned++ }
}

/* What holds in every state: a step is possible here only where it does not. */
proctype Always() {
endAlways:
	do
#if !defined(NO_RELAY) && !defined(SENT_LATE)
	:: atomic { !(RELAYED(0) && RELAYED(1)) -> assert(RELAYED(0) && RELAYED(1)) }
#endif
	/* sent minus begun counts each delivery that has not begun, once. */
#if defined(SENT_LATE)
	:: atomic { onTheirWay[0] < 0 || onTheirWay[1] < 0 -> assert(onTheirWay[0] >= 0 && onTheirWay[1] >= 0) }
#elif !defined(RECYCLE_BEFORE_BEGIN) && !defined(SPAWN_REFUSED)
	:: atomic { onTheirWay[0] != ON_THEIR_WAY(0) -> assert(onTheirWay[0] == ON_THEIR_WAY(0)) }
	:: atomic { onTheirWay[1] != ON_THEIR_WAY(1) -> assert(onTheirWay[1] == ON_THEIR_WAY(1)) }
#endif
	:: atomic { BAD_PLACE -> assert(!BAD_PLACE) }
	od
}

#ifdef STATS
/* Handoff.Counts, in an open pool: no difference of what it returns is negative.
 * Of completed and accepted the sums are read as one, which is the worst case: a
 * shard that is read earlier has completed less, one read later has accepted more. */
proctype Stats() {
	byte done, out, waiting;

endClosed:
	atomic { !closed; done = completed };
#ifdef PUSHED_FIRST
	out = pushed[0];
	atomic { assert(out >= popped[0]); waiting = out - popped[0]; out = 0 };
#else
	out = popped[0];
	atomic { assert(pushed[0] >= out); waiting = pushed[0] - out; out = 0 };
#endif
	out = popped[1];
	atomic { assert(pushed[1] >= out); waiting = waiting + pushed[1] - out; out = 0 };
	atomic {
		assert(closed || counted >= done + waiting);
		done = 0;
		waiting = 0
	}
}
#endif

init {
	atomic {
		run Always();
#ifdef STATS
		run Stats();
#endif
		run Submitters();
		run Workers();
		run Drainers();
		run Poisoner();
		run Killer();
		run Disarmed();
		run Shutdown();
		run SecondShutdown()
	}
}

#ifdef LIVENESS
/* Whatever the scheduler does: a closed pool has no endless run. */
ltl returns { [] (closed -> <> (gReturned > 0)) }
#endif
