//go:build !unix

package process

import "errors"

// Suspend fails: there is no signal for it here.
func (p *Process) Suspend() error { return errors.ErrUnsupported }

// Resume fails as Suspend does.
func (p *Process) Resume() error { return errors.ErrUnsupported }
