package pooltest

// A Tape is the input of a fuzz test, read byte by byte, and all zeros after its
// end.
type Tape struct{ Rest []byte }

// Next returns a number below n; the character zero stands for 0.
func (in *Tape) Next(zero byte, n int) int {
	if in.Ended() {
		return 0
	}
	b := in.Rest[0]
	in.Rest = in.Rest[1:]
	return int(b-zero) % n
}

// Ended reports whether all of the input is read.
func (in *Tape) Ended() bool { return len(in.Rest) == 0 }

// Pick returns one of the values.
func Pick[T any](in *Tape, values ...T) T { return values[in.Next('0', len(values))] }
