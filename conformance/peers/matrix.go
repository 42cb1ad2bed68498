package peers

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/hemlock/conformance"
)

// A Column holds the results of one subject, in the order of the clauses.
type Column struct {
	Subject conformance.Subject
	Version string
	Results []conformance.Result
}

// count returns how many results have this outcome.
func (c Column) count(o conformance.Outcome) int {
	n := 0
	for _, r := range c.Results {
		if r.Outcome == o {
			n++
		}
	}
	return n
}

// A Matrix is the outcome of clause by pool, as a document.
type Matrix struct {
	Made    string // when, with what and how, in Markdown
	Columns []Column
}

// WriteTo writes the document.
func (m Matrix) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Conformance\n\n%s\n", strings.TrimSpace(m.Made))
	m.writeSummary(&b)
	m.writeTable(&b)
	m.writePromises(&b)
	m.writeFailures(&b)
	m.writeExempt(&b)
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}

func (m Matrix) writeSummary(b *strings.Builder) {
	b.WriteString("\n## Summary\n\n| pool | version | pass | fail | n/a |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range m.Columns {
		fmt.Fprintf(b, "| %s | %s | %d | %d | %d |\n", c.Subject.Name, c.Version,
			c.count(conformance.Pass), c.count(conformance.Fail), c.count(conformance.NotApplicable))
	}
}

// writeTable has one row for each clause.
func (m Matrix) writeTable(b *strings.Builder) {
	b.WriteString("\n## Clause by pool\n\n| clause |")
	for _, c := range m.Columns {
		fmt.Fprintf(b, " %s |", c.Subject.Name)
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", len(m.Columns)+1) + "\n")
	for i, r := range m.Columns[0].Results {
		fmt.Fprintf(b, "| %s |", r.Clause.Name)
		for _, c := range m.Columns {
			fmt.Fprintf(b, " %s |", cell(c.Results[i]))
		}
		b.WriteString("\n")
	}
}

func cell(r conformance.Result) string {
	if r.Outcome == conformance.Fail {
		return "**fail**"
	}
	return string(r.Outcome)
}

func (m Matrix) writePromises(b *strings.Builder) {
	b.WriteString("\n## The clauses\n\n")
	for _, r := range m.Columns[0].Results {
		fmt.Fprintf(b, "- **%s**: %s\n", r.Clause.Name, r.Clause.Promise)
	}
}

func (m Matrix) writeFailures(b *strings.Builder) {
	b.WriteString("\n## Failures, with the reason seen\n")
	for _, c := range m.Columns {
		if c.count(conformance.Fail) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n", c.Subject.Name)
		for _, r := range c.Results {
			if r.Outcome == conformance.Fail {
				fmt.Fprintf(b, "- %s: %s\n", r.Clause.Name, r.Reason)
			}
		}
	}
}

// writeExempt lists what does not apply, grouped by the reason. What was seen of
// it is told for completeness, and counts for nothing.
func (m Matrix) writeExempt(b *strings.Builder) {
	b.WriteString("\n## Not applicable, with the reason\n\n" +
		"(✓) and (✗) say that the clause was examined all the same, and whether it held.\n")
	for _, c := range m.Columns {
		if c.count(conformance.NotApplicable) == 0 {
			continue
		}
		fmt.Fprintf(b, "\n### %s\n\n", c.Subject.Name)
		reasons, clauses := exempt(c.Results)
		for _, reason := range reasons {
			fmt.Fprintf(b, "- %s: %s\n", reason, strings.Join(clauses[reason], ", "))
		}
	}
}

// exempt returns the reasons in order of appearance, and the clauses of each.
func exempt(results []conformance.Result) (reasons []string, clauses map[string][]string) {
	clauses = map[string][]string{}
	for _, r := range results {
		if r.Outcome != conformance.NotApplicable {
			continue
		}
		if !slices.Contains(reasons, r.Reason) {
			reasons = append(reasons, r.Reason)
		}
		clauses[r.Reason] = append(clauses[r.Reason], r.Clause.Name+held(r))
	}
	return reasons, clauses
}

func held(r conformance.Result) string {
	switch {
	case !r.Examined:
		return ""
	case r.Seen == "":
		return " (✓)"
	}
	return " (✗)"
}
