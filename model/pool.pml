/*
 * The protocol of the pool: who may hand what to whom, who counts it, and who
 * says that all is over. It follows pool.go, worker.go, killer.go and
 * internal/handoff step by step; at each step stands the Go code it is for.
 *
 * Goroutines that run the same code are alike, so they have no names: for each
 * place in the code there is the number of goroutines whose next step is there,
 * and a step moves one of them on. That is exact, and states that differ in
 * which of two workers is where are one.
 *
 * A step is what Go does indivisibly: one atomic operation, one attempt to send
 * or one receive. Where a step is more, or one is left out, a comment says why
 * nobody can tell. A name that begins with g is a ghost: the code has no such
 * variable, and no step depends on it. What nobody will read again is set to 0.
 */

#ifndef SUBMITTERS
#define SUBMITTERS 3 /* calls of Submit */
#endif
#ifndef MIN
#define MIN 0 /* options.minimum */
#endif
#define SEATS 1 /* seatsPerStation */

/* Pool.state: one word in Go, so a step may touch both at once. */
byte workers;
bit closed;

/* Pool.accepted minus completed tasks, once the pool is closed; see settle. */
short outstanding;

/* Pool.drained, true once it is closed, and Pool.closing. */
bit drained;
bit closing;

/* gate.word: the count is that of both gates, for only their sum is ever read.
 * A refused accept adds to the word too, but nobody reads that of a shut gate. */
byte counted;
bit shut[2];

/* station.completed, the sum, and station.seated. */
byte completed;
byte seated[2];

/* Unbuffered channels, as the number of workers that wait in a receive and that
 * nobody has sent to: a non-blocking send succeeds if and only if it is above 0.
 * A send moves a worker on at once, to the station that the task comes from: the
 * worker may wake up late, but as late as its next step. */
byte onSeat[2];
byte onReserve;

/* Handoff.mu, and Handoff.closed, which is also true of the channels: they are
 * closed under mu, only receivers can see that, and each of them sees one. */
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

/* Submitters that have not called yet, and the places of those that have: each
 * holds an accepted task, at a station. The last has none: it has given it to a
 * worker on this seat. */
byte callers = SUBMITTERS;
byte offering[2];
byte goingAround[2];
byte atReserve[2];
byte raising[2];
byte arming[2];
byte freeing[2];

/* Submitters that were refused and have not returned. */
byte refused;

/* The places of workers at a station. The first two hold a task. */
byte received[2];
byte running[2];
byte looking[2];
byte sitting[2];
byte unsitting[2];
byte seating[2];
byte reserving;

/* The places of workers that leave; those with a pill only in an open pool. */
byte leaving;
byte leavingPill;
byte waking;
byte wakingPill;
byte wakingClosed;
byte swallowing;

/* The places of killers that have disarmed. Of others there is at most one. */
byte rechecking;
byte recheckingClosed;
byte retaking;
byte going;

/* The places of those who call settle, and of their pills. */
byte settling;
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
#define OFFERING (BOTH(offering) + BOTH(goingAround) + BOTH(atReserve) + BOTH(raising))
#if defined(COUNT_AFTER_GO) || defined(ARM_AFTER_GO)
#define HELD (OFFERING + BOTH(received) + BOTH(running))
#else
#define HELD (OFFERING + BOTH(arming) + BOTH(received) + BOTH(running))
#endif
#define PARKED (BOTH(onSeat) + onReserve)
#define FINDING_A_SEAT (BOTH(looking) + BOTH(sitting) + BOTH(unsitting) + \
	BOTH(seating) + reserving)
#define STAYING (BOTH(received) + BOTH(running) + FINDING_A_SEAT + PARKED)
#define LEAVING (leaving + leavingPill + waking + wakingPill + wakingClosed + swallowing)
#define DISARMED (rechecking + recheckingClosed + retaking + going)
#define SETTLING (settling + poisoning + counting + draining)
#define MOVING (refused + OFFERING + BOTH(arming) + BOTH(freeing) + BOTH(received) + \
	BOTH(running) + FINDING_A_SEAT + LEAVING + DISARMED + SETTLING)

inline move(from, to) { from--; to++ }

/* Some goroutine stands at a place for station s. */
#define AT(place) \
	BOTH(place) > 0; \
	if \
	:: place[0] > 0 -> s = 0 \
	:: place[1] > 0 -> s = 1 \
	fi

/* Every accepted task is held by exactly one goroutine that will see to it. */
inline checkTasks() { assert(gOpen == HELD) }

/* An attempt to send: Go panics on a closed channel even if nobody waits. */
inline checkOpen() { assert(!channelsClosed) }

/* s.seated.Sub(1). Invariant: waiting workers <= seated. So s.seated.Load() > 0,
 * which comes before each send to a seat, is no step: when it says no, the send
 * would fail, and when it says yes, the send decides. */
inline freeSeat(c) { assert(seated[c] > onSeat[c]); seated[c]-- }

/* p.settle() */
inline settle() { settling++ }

/* go p.work(at, task). A newborn is not distinguished from a running worker: it
 * may begin late, but as late as its task may end. */
inline startWorker() { running[s]++ }

/* p.raise() */
inline raise() { assert(!drained); workers++ }

/* The moment when Submit returns true. */
inline counts() {
#ifdef COUNT_AFTER_SEND
	counted++
#else
	skip
#endif
}

/* Calls of Submit, for one task each. A task that submits is a submitter too: it
 * only comes in fewer orders. */
proctype Submitters() {
	byte s;

endSubmitters:
	do
	:: atomic {
		/* at := p.handoff.Local(): a hint, any station will do */
		callers > 0;
		callers--;
		if
		:: s = 0
		:: s = 1
		fi;
		/* if !at.Accept(): g.word.Add(shut<<1)&shut == 0 */
		if
		:: shut[s] -> refused++
		:: !shut[s] ->
			/* Nobody is accepted once somebody was told of the end. */
			assert(!closed && !drained && !gRefused);
#ifndef COUNT_AFTER_SEND
			counted++;
#endif
			gAccepted++;
			gOpen++;
			offering[s]++
		fi;
		s = 0
	   }
	:: atomic {
		/* p.handoff.Shut(); return false: shutting.Do waits for Shutdown, which
		 * has shut a gate and so is in there. */
#ifdef REFUSED_EARLY
		refused > 0;
#else
		refused > 0 && shut[0] && shut[1];
#endif
		refused--;
		gRefused = 1
	   }
	:: atomic {
		/* at.offer(d): s.seats <- d */
		AT(offering);
		checkTasks();
		checkOpen();
		if
		:: onSeat[s] > 0 -> move(offering[s], freeing[s]); move(onSeat[s], received[s])
		:: else -> move(offering[s], goingAround[s])
		fi;
		s = 0
	   }
	:: atomic {
		/* h.offerAround(at, 1, near, d): the one other station */
		AT(goingAround);
		checkTasks();
		checkOpen();
		if
		:: onSeat[1 - s] > 0 -> move(goingAround[s], freeing[1 - s]); move(onSeat[1 - s], received[s])
		:: else -> move(goingAround[s], atReserve[s])
		fi;
		s = 0
	   }
	:: atomic {
		/* trySend(h.reserve, d) */
		AT(atReserve);
		checkTasks();
		checkOpen();
		if
		:: onReserve > 0 -> atReserve[s]--; move(onReserve, received[s]); counts()
		:: else -> move(atReserve[s], raising[s])
		fi;
		s = 0
	   }
	:: atomic { /* s.seated.Sub(1) */ AT(freeing); freeSeat(s); freeing[s]--; counts(); s = 0 }
#ifndef COUNT_AFTER_GO
	:: atomic {
		/* p.spawn(at, task): workers := p.raise() */
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
		/* p.killer.noteSpawn(workers): if workers > k.pool.minimum. The time
		 * it notes is part of the choice that the killer has. */
		if
		:: workers > MIN -> arming[s]++
#ifdef ARM_AFTER_GO
			; startWorker()
#endif
		/* go p.work(at, task) */
		:: else -> startWorker(); counts()
		fi;
		s = 0
	   }
	:: atomic {
		/* k.arm(): if !k.armed.Load() && k.armed.CompareAndSwap(false, true).
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
		/* go p.work(at, task): it only enables what may come at any time. */
		startWorker();
#endif
		counts();
		s = 0
	   }
#else
	:: atomic { AT(raising); move(raising[s], arming[s]); startWorker(); s = 0 }
	:: atomic { AT(arming); raise(); arming[s]--; s = 0 }
#endif
	od
}

proctype Workers() {
	byte s;

endWorkers:
	do
	:: atomic {
		/* task() ends. w.at.Complete() */
		AT(running);
		checkTasks();
		assert(gOpen > 0 && !drained);
		gOpen--;
		completed++;
		if
		:: closed -> outstanding--; completed = 0
		:: else
		fi;
		if
		/* It returned. */
		:: move(running[s], looking[s])
		/* It called runtime.Goexit, or panicked and the handler returned. */
		:: move(running[s], leaving)
		fi;
		s = 0
	   }
	:: atomic {
		/* if w.left--; w.left == 0: the jitter makes it a choice */
		AT(received);
		checkTasks();
		assert(!drained);
		if
		:: move(received[s], running[s])
		/* w.recycle(task): go w.pool.work(w.at, task). The old goroutine does
		 * nothing to the pool any more, for end finds w.heir set. */
		:: received[s]--; startWorker()
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
		/* if w.pool.closed() { return } */
		AT(looking);
		if
		:: closed -> move(looking[s], leaving)
		:: else -> move(looking[s], sitting[s])
		fi;
		s = 0
	   }
	:: atomic {
		/* w.pool.handoff.Take(w.at): s.seated.Add(1) <= seatsPerStation */
		AT(sitting);
		seated[s]++;
		if
		:: seated[s] <= SEATS -> move(sitting[s], seating[s])
		:: else -> move(sitting[s], unsitting[s])
		fi;
		s = 0
	   }
	:: atomic { /* s.seated.Sub(1) */ AT(unsitting); freeSeat(s); move(unsitting[s], reserving); s = 0 }
	:: atomic {
		/* <-waiting, where waiting is at.seats */
		AT(seating);
		move(seating[s], onSeat[s]);
		assert(onSeat[s] <= seated[s]);
		s = 0
	   }
	:: atomic { /* or h.reserve */ reserving > 0; move(reserving, onReserve) }
	/* A receive from a closed channel gives nil: w.pill = true; return */
	:: atomic { channelsClosed && BOTH(onSeat) > 0; AT(onSeat); move(onSeat[s], leaving); s = 0 }
	:: atomic { channelsClosed && onReserve > 0; move(onReserve, leaving) }
	:: atomic {
		/* Pool.leave: state := p.state.Sub(oneWorker) */
		leaving > 0;
		assert(workers > 0);
		workers--;
		if
		:: gDeciding -> gQuit++
		:: else
		fi;
		/* k.noteLeave: if workers <= k.pool.minimum; if state&closedBit != 0 */
		if
#ifdef NO_WAKE_ON_LEAVE
		:: closed -> leaving--; settle()
		:: !closed -> leaving--
#else
		:: workers <= MIN && closed -> move(leaving, wakingClosed)
		:: workers <= MIN && !closed -> move(leaving, waking)
		:: workers > MIN && closed -> leaving--; settle()
		:: workers > MIN && !closed -> leaving--
#endif
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
	:: atomic { waking > 0; waking--; wake = 1 }
	:: atomic { wakingPill > 0; wake = 1; move(wakingPill, swallowing) }
	:: atomic { wakingClosed > 0; wake = 1; wakingClosed--; settle() }
	/* if w.pill { w.pool.killer.noteSwallowed() } */
	:: atomic { swallowing > 0; swallowing--; underWay-- }
	od
}

/* p.draining.Do(func() { close(p.drained) }) */
inline drain() {
	if
	:: drained
	:: !drained ->
		drained = 1;
		assert(workers == 0 && STAYING == 0);
		assert(gOpen == 0 && HELD == 0);
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
#ifdef SETTLE_WORKERS_FIRST
	:: !drained -> drain()
#else
	:: !drained && (workers > 0 || armed) -> assert(gOpen == 0)
	:: !drained && workers == 0 && !armed -> assert(gOpen == 0); draining++
#endif
	fi
}

/* Pool.settle. It is fewer steps than loads:
 *
 * The stations' counts of completed tasks are read as one. If their sum is found
 * short, it was short when the first was read; once complete it
 * stays so, until the channels are closed too. Close waits for nothing under mu,
 * and does nothing when called again. Of accepted and completed the difference
 * is kept, for they are compared and no more.
 *
 * The workers and armed are read as one for the same reason: no task is to come,
 * so the workers only become fewer. */
proctype Settlers() {
endSettlers:
	do
	:: atomic {
		settling > 0 && (outstanding != 0 || channelsClosed || !mu);
		if
		/* if completed != p.accepted { p.handoff.Poison(); return } */
		:: outstanding != 0 -> poisoning++
		/* p.handoff.Close() does nothing: the next step is part of this. */
		:: outstanding == 0 && channelsClosed -> countWorkers()
		/* p.handoff.Close() */
		:: outstanding == 0 && !channelsClosed -> closeChannels(); counting++
		fi;
		settling--
	   }
	:: atomic { counting > 0; countWorkers(); counting-- }
	:: atomic { draining > 0; drain(); draining-- }
	od
}

/* A worker has received nil. The minimum holds when the pill has been delivered,
 * leaving aside workers lost to Goexit since the killer decided. A closed pool
 * has no minimum, and of its workers those with a pill are like the others. */
inline pill() {
	if
	:: closed -> leaving++
	:: else -> leavingPill++; gPills++; assert(workers + gQuit >= MIN + gPills)
	fi;
	gDeciding = 0;
	gQuit = 0
}

/* Handoff.Poison, which goes on at delivered or at nobody. The lock is taken in
 * the same step as the first send: had it been taken earlier, others would have
 * waited longer, and that is all. It is released with the last step under it. */
inline poison() {
#ifdef NO_MUTEX
	if
	:: channelsClosed -> goto nobody
	:: else
	fi;
#endif
	atomic {
#ifndef NO_MUTEX
		/* h.mu.Lock(); if h.closed { return false } */
		!mu;
		if
		:: channelsClosed -> goto nobody
		:: else
		fi;
#endif
		/* trySend(h.reserve, delivery{}) */
		checkOpen();
		if
		:: onReserve > 0 -> onReserve--; pill(); goto delivered
#ifdef NO_MUTEX
		:: else
#else
		:: else -> mu = 1
#endif
		fi
	};
	/* h.stations[0].offer(delivery{}) */
	atomic {
		checkOpen();
		if
		:: onSeat[0] > 0 -> onSeat[0]--; pill()
		:: else -> goto second
		fi
	};
	atomic { freeSeat(0); mu = 0; goto delivered };
second:	/* h.stations[1].offer(delivery{}) */
	atomic {
		checkOpen();
		if
		:: onSeat[1] > 0 -> onSeat[1]--; pill()
		:: else -> mu = 0; goto nobody
		fi
	};
	atomic { freeSeat(1); mu = 0; goto delivered }
}

/* Handoff.Poison in settle. Whoever holds mu is here; those who wait are not. */
proctype Poisoner() {
endPoisoner:
	atomic { poisoning > 0 && !mu; poisoning-- };
	poison();
delivered:
nobody:	goto endPoisoner
}

/* killer.run, as long as armed is set on behalf of this killer. */
proctype Killer() {
	short seen;

endUnarmed:
	atomic { goKill; goKill = 0; gKiller = 1 };
kill:	/* for k.needed(): k.pool.workers() > k.pool.minimum */
	if
	:: workers <= MIN -> goto disarm
	:: else
	fi;
	/* && !k.pool.closed() */
	atomic {
#ifndef KILLER_IGNORES_CLOSED
		if
		:: closed -> goto disarm
		:: else
		fi;
#endif
		gRetaken = 0;
		/* if wait := k.wait(lastRound); wait > 0: what the clock says is a
		 * choice. To sleep until the timer fires is to come here later, so
		 * who sleeps here waits for a token: an interval may be a century. */
		if
		:: goto round
		:: gAsleep = 1
		fi
	};
	/* case <-k.wake: */
	atomic { wake; wake = 0; gAsleep = 0; goto kill };
round:	/* k.spare() */
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
	/* return k.pool.workers()-underWay > k.pool.minimum */
	atomic {
		if
		:: closed || workers - seen > MIN -> seen = 0; gDeciding = !closed
		:: closed || workers - seen <= MIN -> seen = 0; goto kill
		fi
	};
#endif
	/* k.pool.handoff.Poison() */
#ifdef BLOCKING_PILL
	/* h.mu.Lock(); h.reserve <- delivery{} */
	atomic { !mu; mu = 1 };
	atomic {
		onReserve > 0;
		checkOpen();
		onReserve--;
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
		/* return !k.needed(): k.pool.workers() > k.pool.minimum */
		rechecking > 0;
		if
		:: workers > MIN -> move(rechecking, recheckingClosed)
		:: else -> move(rechecking, going)
		fi
	   }
	:: atomic {
		/* && !k.pool.closed() */
		recheckingClosed > 0;
		if
		:: closed -> move(recheckingClosed, going)
		:: else -> move(recheckingClosed, retaking)
		fi
	   }
	:: atomic {
		/* || !k.armed.CompareAndSwap(false, true) { break }: meanwhile the pool
		 * may have been closed and drained, and kill will find nothing to do. */
		retaking > 0;
		if
		:: armed -> move(retaking, going)
		:: else -> assert(!goKill && !gKiller); retaking--; armed = 1; goKill = 1; gRetaken = 1
		fi
	   }
	:: atomic {
		/* if k.pool.closed() { k.pool.settle() } */
		going > 0;
		going--;
#ifndef KILLER_DOES_NOT_SETTLE
		if
		:: closed -> settle()
		:: else
		fi
#endif
	   }
	od
}

/* What holds whenever nothing moves in an open pool. */
inline checkQuiet() {
	if
	:: MOVING == 0 && !goKill && (!gKiller || (gAsleep && !wake)) ->
		/* The killer is armed exactly while there are spare workers. */
		assert(armed == (workers > MIN));
		assert(armed == gKiller);
		/* Every worker waits, and each seat is counted once. */
		assert(PARKED == workers);
		assert(seated[0] == onSeat[0] && seated[1] == onSeat[1]);
		/* Every accepted task was counted, and has ended. */
		assert(gOpen == 0);
		assert(counted == gAccepted && completed == gAccepted);
		/* Every pill has been swallowed. */
		assert(underWay == 0 && gPills == 0)
	:: else
	fi
}

/* Of two concurrent Shutdowns the one that p.closing.Do lets in, at any moment. A
 * ctx that ends would let it return early and change nothing for anybody. */
proctype Shutdown() {
	atomic {
		/* p.closing.Do(p.close) */
		closing = 1;
		checkQuiet();
		/* p.handoff.Shut(): gate.close, twice. The swap that ends its loop found
		 * the word unchanged since the load, so the last turn is one step, and
		 * the others are none. */
		shut[0] = 1
	};
	shut[1] = 1;
	atomic {
		/* p.accepted, _ = p.handoff.Counts(): of shut gates, so of constants.
		 * p.state.Add(closedBit): nobody reads accepted before. */
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
		swallowing = 0;
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
	/* p.settle(), as anybody else: not to wait for it only returns earlier. */
	settle();
	/* case <-p.drained: */
	atomic { drained; assert(gOpen == 0 && workers == 0); gReturned++ };
	/* When all is over: timeout is true when nothing else can move. */
	timeout;
	assert(gReturned == 2 && callers == 0);
	assert(MOVING == 0 && PARKED == 0 && workers == 0);
	assert(!armed && !goKill && !gKiller)
}

/* The other, at any moment after: it waits until the first has left p.closing.Do
 * and then for drained. Only to wait for drained is to return earlier. */
proctype SecondShutdown() {
	atomic { closing && drained; assert(gOpen == 0 && workers == 0); gReturned++ }
}

init {
	atomic {
		run Submitters();
		run Workers();
		run Settlers();
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
