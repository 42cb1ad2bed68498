//go:build !unix

package race

import "time"

// processTime reports that the processor time is not available here.
func processTime() (time.Duration, bool) { return 0, false }
