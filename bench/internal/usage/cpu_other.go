//go:build !unix

package usage

import "time"

// Process returns 0: the processor time is not available here.
func Process() time.Duration { return 0 }
