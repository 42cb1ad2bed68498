package main

import (
	_ "embed"
	"errors"
	"html/template"
	"io"
	"os"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// writePage writes the report as one page that needs nothing else.
func writePage(name string, r *report) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(render(f, r), f.Close())
}

func render(w io.Writer, r *report) error {
	height := 0
	for _, b := range r.boxes {
		height = max(height, b.Y+boxHeight)
	}
	return page.Execute(w, struct {
		*report
		Word    string
		Basis   string
		Figures []figure
		Boxes   []box
		Height  int
		Spans   []spanRow
	}{r, words[r.Answer], r.basis(), r.figures(), r.boxes, height, spans(r.Options)})
}

// A spanRow is an option as a bar from its low to its high end.
type spanRow struct {
	option
	Text     string
	X, Width float64 // percents of the scale, which begins at -20 % and ends at 80 %; no width, no bar
}

func spans(options []option) []spanRow {
	const left, whole = -20, 100
	var rows []spanRow
	for _, o := range options {
		low, high := max(o.Low, left), min(o.High, left+whole)
		rows = append(rows, spanRow{o, o.span(), low - left, high - low})
	}
	return rows
}
