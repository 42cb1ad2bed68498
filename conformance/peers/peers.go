package peers

import (
	"example.com/hemlock/conformance"
	"example.com/hemlock/conformance/self"
)

// Subjects returns hemlock and its peers, in the order of the document.
func Subjects() []conformance.Subject {
	return []conformance.Subject{
		self.Subject(), Ants(), AntsMulti(), Pond(), Conc(), Bytedance(), Cloudwego(),
		Gammazero(), Errgroup(), Channel(), Go(),
	}
}
