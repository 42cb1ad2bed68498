package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeText writes the report for people.
func writeText(to io.Writer, r *report) error {
	w := bufio.NewWriter(to)
	fmt.Fprintf(w, "%s: %s.\n\n", words[r.Answer], r.Because)
	fmt.Fprintf(w, "%s: %s\n\n", r.Source, r.basis())
	for _, row := range r.figures() {
		fmt.Fprintf(w, "  %5.1f %%  ± %3.1f  %s\n", row.Percent, row.Off, row.Name)
	}
	if len(r.Sites) > 0 {
		fmt.Fprint(w, "\nwho pays\n")
	}
	for i, s := range r.Sites {
		writeSite(w, i+1, s)
	}
	if len(r.Statements) > 0 {
		fmt.Fprint(w, "\ngo statements that start goroutines\n")
	}
	for _, s := range r.Statements {
		fmt.Fprintf(w, "  %5.1f %%  %s in %s\n", s.Percent, s.At, s.Function)
	}
	fmt.Fprint(w, "\nwhat would give it back\n")
	for _, o := range r.Options {
		fmt.Fprintf(w, "  %-8s %s\n", o.With, o.span())
		wrap(w, "           ", o.How)
	}
	fmt.Fprint(w, "\nwhat to know\n")
	for _, n := range r.Notes {
		wrap(w, "  ", n)
	}
	return w.Flush()
}

func writeSite(w io.Writer, number int, s siteReport) {
	fmt.Fprintf(w, "%2d. %5.1f %%  %s, %s\n", number, s.Growing, s.Entry, s.At)
	const indent = "             "
	about := fmt.Sprintf("%.1f %% of the processor time runs here", s.Percent)
	if s.Kept != "" {
		about += ", on " + s.Kept
	} else {
		about += "; code: " + s.Code
	}
	fmt.Fprintf(w, "%s%s\n", indent, about)
	for _, list := range []struct {
		what   string
		places []place
	}{{"started at", s.Started}, {"below", s.Handlers}, {"needed by", s.Needs}} {
		for _, p := range list.places {
			fmt.Fprintf(w, "%s%-10s %4.1f %%  %s, %s\n", indent, list.what, p.Percent, p.Function, p.At)
		}
	}
}

// basis says what the profile is.
func (r *report) basis() string {
	text := plural(r.Samples, "sample") + fmt.Sprintf(", %.1f s of processor time", r.CPU)
	if r.Seconds > 0 {
		text += fmt.Sprintf(" in %.1f s", r.Seconds)
	}
	return text
}

// A figure is one line of the first table.
type figure struct {
	counted
	Name string
}

func (r *report) figures() []figure {
	return []figure{
		{r.Growing, "growing stacks"},
		{r.Starting, "starting goroutines"},
		{r.Waking, "waking processors for them, which a pool does too"},
		{r.Shrinking, "shrinking stacks, by garbage collections"},
	}
}

func (o option) span() string {
	if o.Low == 0 && o.High == 0 {
		return "0 %"
	}
	return span(gain{low: o.Low / 100, high: o.High / 100})
}

// wrap writes the text in lines of about 80 characters.
func wrap(w io.Writer, indent, text string) {
	const width = 78
	line := indent
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > width && line != indent {
			fmt.Fprintln(w, strings.TrimRight(line, " "))
			line = indent
		}
		line += word + " "
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}
