package target

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// questionSize is the length of a question in bytes. Written in hexadecimal it
// must fit in a label of a DNS name, which has 63 octets.
const questionSize = 24

// Question returns a question that no other number yields.
func Question(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, questionSize-8, questionSize), number)
}

// Answer returns the right answer to a question: the question and its checksum. An
// answer to another question, an old one and a part of one differ from it.
func Answer(question []byte) []byte {
	answer := make([]byte, 0, len(question)+4)
	answer = append(answer, question...)
	return binary.BigEndian.AppendUint32(answer, crc32.ChecksumIEEE(question))
}

// Right reports whether the answer is that to the question.
func Right(question, answer []byte) bool { return bytes.Equal(answer, Answer(question)) }

// A Message is a question or an answer on its way. The libraries that look for
// exported types and fields find it.
type Message struct{ Body []byte }
