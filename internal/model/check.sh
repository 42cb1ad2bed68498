#!/bin/sh
# Verifies pool.pml: the model as it is must have no error, and each variant with
# a mistake put in must be refuted, for the reason given here. Exits with 1 if
# anything else is found, and with 2 if a program is missing.
#
# Spin's programs exit with 0 on a violation, and even when they run out of memory or
# depth, so a run is judged by what it prints.
set -u
here=$(cd "$(dirname "$0")" && pwd)
failures=0
runs=0

for program in spin gcc; do
	if ! command -v "$program" >/dev/null; then
		echo "model: $program is missing; Debian's package $program has it" >&2
		exit 2
	fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# verify runs one exhaustive search with the given flags; its output is in $log.
# $optimize is for the compiler, which takes longer than the search for most mistakes.
verify() {
	log=$work/log
	compile="-DSAFETY" search=""
	case " $* " in
	*" -DLIVENESS "*) compile="" search="-a" ;;
	esac
	cp "$here/pool.pml" "$work" && cd "$work" || exit 1
	rm -f pan pool.pml.trail
	spin "$@" -a pool.pml >"$log" 2>&1
	gcc $optimize -w -DCOLLAPSE -DMEMLIM=5500 $compile -o pan pan.c >>"$log" 2>&1
	./pan $search -m100000 -w24 >>"$log" 2>&1
}

# sound says whether the search in $log can be trusted.
sound() {
	! grep -q -e 'Error' -e 'max search depth' "$log" &&
		grep -q 'errors: [0-9]' "$log"
}

report() {
	runs=$((runs + 1))
	printf '%-4s %-48s %s\n' "$1" "$2" "$3"
	[ "$1" = ok ] && return
	failures=$((failures + 1))
	sed 's/^/     | /' "$log" | grep -v -e '^     | *$' -e 'Depth=' | head -n 25
	echo "     | for the trail: $0 $2"
}

# holds expects the model with these flags to have no error, in all its states.
holds() {
	optimize=-O2
	verify "$@"
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
	if sound && grep -q 'errors: 0$' "$log" && ! grep -q 'not completed' "$log"; then
		report ok "$*" "holds in all $states states"
	else
		report FAIL "$*" "does not hold, or was not searched to the end"
	fi
}

# refuted expects an error whose description contains the first argument.
refuted() {
	reason=$1
	shift
	optimize=-O0
	verify "$@"
	found=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$log")
	if sound && ! grep -q 'errors: 0$' "$log" && echo "$found" | grep -qF "$reason"; then
		report ok "$*" "refuted: $(echo "$found" | cut -c1-60)"
	else
		report FAIL "$*" "was to be refuted by: $reason"
	fi
}

started=$(date +%s)

# With flags, one search of the model with these, and the trail if it fails.
if [ $# -gt 0 ]; then
	holds "$@"
	[ "$failures" -eq 0 ] && exit
	[ -f pool.pml.trail ] && spin "$@" -t -p pool.pml | grep -v -e 'assert(' -e 's = [01]'
	exit 1
fi

holds -DMIN=0 -DSHARDS=1
holds -DMIN=1 -DSHARDS=1
holds -DMIN=3
holds -DMIN=4 -DSUBMITTERS=4 -DSHARDS=1
holds -DMIN=0 -DSUBMITTERS=2
holds -DMIN=1 -DSUBMITTERS=2
holds -DMIN=0 -DSUBMITTERS=2 -DPLACES=2
holds -DMIN=1 -DSUBMITTERS=2 -DPLACES=2
holds -DMIN=3 -DPLACES=2
holds -DMIN=0 -DSUBMITTERS=2 -DLIVENESS
holds -DMIN=1 -DSUBMITTERS=2 -DLIVENESS

# Tasks that wait until all have begun.
holds -DMIN=3 -DBLOCKS
holds -DMIN=4 -DSUBMITTERS=4 -DSHARDS=1 -DBLOCKS
holds -DMIN=0 -DSUBMITTERS=2 -DBLOCKS

# The sums that Stats reads.
holds -DMIN=2 -DSUBMITTERS=2 -DSTATS

# Not a mistake: see README.md.
holds -DMIN=0 -DSUBMITTERS=2 -DNO_WAKE_IN_CLOSE

# wrong expects two submitters to be enough: fewer make a shorter trail.
wrong() {
	reason=$1
	shift
	refuted "$reason" -DSUBMITTERS=2 "$@"
}

# The relay. A minimum that is never exceeded leaves the killer out.
waits='lookingAgain[0]'
wrong "$waits" -DMIN=2 -DNO_SECOND_LOOK
wrong "$waits" -DMIN=2 -DLOOK_BEFORE_BEGUN
wrong "$waits" -DMIN=2 -DRECYCLE_BEFORE_RELAY
wrong '(onTheirWay[0]==0)&&(onTheirWay[1]==0)' -DMIN=2 -DRECYCLE_BEFORE_BEGIN
wrong '(onTheirWay[1]==(' -DMIN=2 -DHEIR_BEGINS
wrong 'invalid end state' -DMIN=2 -DNO_RELAY -DBLOCKS
wrong '(onTheirWay[0]>=0)' -DMIN=2 -DSENT_LATE
wrong '(gOpen==0)' -DMIN=2 -DRETIRE_EARLY
wrong '(out>=popped[0])' -DMIN=2 -DSTATS -DPUSHED_FIRST

# Counting, killing and ending.
wrong 'armed==(workers>0)' -DMIN=0 -DNO_RECHECK
wrong 'invalid end state' -DMIN=0 -DBLOCKING_PILL
wrong '(workers>0)' -DMIN=0 -DCOUNT_AFTER_GO
wrong 'counted==gAccepted' -DMIN=0 -DCOUNT_LATE
wrong 'invalid end state' -DMIN=0 -DPILLS_ONLY
wrong '(workers==0)' -DMIN=0 -DDRAIN_WORKERS_FIRST
wrong '(workers+gQuit)>=(1+gPills)' -DMIN=1 -DSPARE_WORKERS_FIRST
wrong '!(channelsClosed)' -DMIN=0 -DNO_MUTEX
wrong '!(channelsClosed)' -DMIN=0 -DCLOSE_EARLY
wrong 'armed==(workers>0)' -DMIN=0 -DNO_WAKE_ON_LEAVE
wrong 'invalid end state' -DMIN=0 -DKILLER_DOES_NOT_DRAIN
wrong '!(drained)' -DMIN=0 -DARM_AFTER_GO
wrong '(workers>0)' -DMIN=0 -DRECYCLE_LEAVES
wrong '(gOpen==' -DMIN=0 -DRECYCLE_RUNS_TASK
wrong 'invalid end state' -DMIN=0 -DSPAWN_REFUSED
wrong '!(gRefused)' -DMIN=0 -DREFUSED_EARLY
wrong '!(armed)' -DMIN=0 -DSTRICT_DISARM
wrong 'acceptance cycle' -DMIN=0 -DLIVENESS -DKILLER_IGNORES_CLOSED

echo "model: $runs runs, $failures failed, $(($(date +%s) - started)) s"
[ "$failures" -eq 0 ]
