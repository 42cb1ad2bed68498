package work

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/hemlock/bench/servers/internal/target"
)

func TestAnswersAreRightAtAnyCost(t *testing.T) {
	question := target.Question(7)
	for _, w := range []Work{{}, {Stack: 1}, {Stack: 32, Garbage: 2048}, {Garbage: 1, Ballast: 1}} {
		require.True(t, target.Right(question, w.Answer(question)), "%+v", w)
	}
}

func TestWorkMakesTheGarbageItNames(t *testing.T) {
	question, least := target.Question(1), testing.AllocsPerRun(100, func() { target.Answer(target.Question(1)) })
	none := testing.AllocsPerRun(100, func() { Work{}.Answer(question) })
	some := testing.AllocsPerRun(100, func() { Work{Garbage: 2048}.Answer(question) })
	require.LessOrEqual(t, none, least)
	require.InDelta(t, none+1, some, 0)
}
