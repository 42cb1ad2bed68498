//go:build !unix

package process

import "time"

// processTime returns 0: the processor time is not available here.
func processTime() time.Duration { return 0 }
