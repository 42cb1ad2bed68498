package panics

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A function of a plugin is one of the host by its name; a name that was removed is none.
func TestSameFunctionByEntryOrName(t *testing.T) {
	for _, c := range []struct {
		a, b runtime.Frame
		want bool
	}{
		{runtime.Frame{Entry: 1}, runtime.Frame{Entry: 1}, true},
		{runtime.Frame{Entry: 1}, runtime.Frame{Entry: 2}, false},
		{runtime.Frame{Entry: 1, Function: "f"}, runtime.Frame{Entry: 1}, true},
		{runtime.Frame{Entry: 1, Function: "f"}, runtime.Frame{Entry: 2, Function: "f"}, true},
		{runtime.Frame{Entry: 1, Function: "f"}, runtime.Frame{Entry: 2, Function: "g"}, false},
	} {
		require.Equal(t, c.want, same(c.a, c.b), c)
	}
}
