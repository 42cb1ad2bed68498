package main

import (
	"cmp"
	"slices"
	"strings"
)

// A node is a function in the tree of what grows and starts.
type node struct {
	name     string
	at       string
	ticks    int64
	cost     bool // what the runtime does to grow or start
	children []*node
}

// flame builds the tree of the stacks that grow and of the go statements that
// start goroutines: the part of a flame graph that matters here. Calls of a
// function by itself are one node.
func (v *survey) flame() *node {
	root := &node{name: "growing stacks and starting goroutines"}
	for _, p := range v.paid {
		root.ticks += p.ticks
		at := root
		for i, f := range p.frames {
			if f.name != at.name {
				at = at.child(f, i >= p.upTo)
				at.ticks += p.ticks
			}
		}
	}
	root.sort()
	return root
}

func (n *node) child(f frame, cost bool) *node {
	i := slices.IndexFunc(n.children, func(c *node) bool { return c.name == f.name })
	if i >= 0 {
		return n.children[i]
	}
	c := &node{name: f.name, at: f.begins(), cost: cost}
	n.children = append(n.children, c)
	return c
}

func (n *node) sort() {
	slices.SortFunc(n.children, func(a, b *node) int {
		return cmp.Or(cmp.Compare(b.ticks, a.ticks), cmp.Compare(a.name, b.name))
	})
	for _, c := range n.children {
		c.sort()
	}
}

// A box is a node on the page. X and Width are percents of the width of the
// graph, Y is in pixels.
type box struct {
	X, Width float64
	Y        int
	Short    string
	Title    string
	Class    string
}

const (
	boxHeight = 20
	// narrowest is the percentage below which a box is left out.
	narrowest = 1
	// legible is the percentage below which a box has no room for a word.
	legible = 6
)

// boxes lays the tree out, the root on top.
func (v *survey) boxes(n *node) []box {
	if n.ticks == 0 {
		return nil
	}
	var list []box
	var lay func(n *node, x float64, depth int)
	lay = func(one *node, x float64, depth int) {
		width := 100 * float64(one.ticks) / float64(n.ticks)
		if width < narrowest {
			return
		}
		list = append(list, v.box(one, x, width, depth))
		for _, c := range one.children {
			lay(c, x, depth+1)
			x += 100 * float64(c.ticks) / float64(n.ticks)
		}
	}
	lay(n, 0, 0)
	return list
}

func (v *survey) box(n *node, x, width float64, depth int) box {
	b := box{X: x, Width: width, Y: depth * boxHeight, Class: "program"}
	if width >= legible {
		b.Short = strings.TrimPrefix(short(n.name), "runtime.")
	}
	b.Title = strings.TrimSpace(n.name+" "+n.at) + ", " + v.show(n.ticks) + " of the processor time"
	switch {
	case depth == 0:
		b.Class = "root"
	case n.cost:
		b.Class = "cost"
	}
	return b
}

// short returns the function with the last element of its package's path.
func short(function string) string { return function[strings.LastIndex(function, "/")+1:] }
