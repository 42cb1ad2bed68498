package peers

import (
	"bytes"
	"io"
	"strings"
	"text/template"

	"example.com/hemlock/conformance"
)

// A Column holds the results of one subject, in the order of the clauses.
type Column struct {
	Subject conformance.Subject
	Version string
	Results []conformance.Result
}

// of returns the results with this outcome.
func (c Column) of(o conformance.Outcome) (some []conformance.Result) {
	for _, r := range c.Results {
		if r.Outcome == o {
			some = append(some, r)
		}
	}
	return some
}

// A Matrix is the outcome of clause by pool, as a document.
type Matrix struct {
	Made    string // when, with what and how, in Markdown
	Columns []Column
}

// In the last part, what was seen of a clause is told for completeness, and counts for
// nothing.
var page = template.Must(template.New("").Funcs(template.FuncMap{
	"passes":  func(c Column) []conformance.Result { return c.of(conformance.Pass) },
	"fails":   func(c Column) []conformance.Result { return c.of(conformance.Fail) },
	"exempt":  func(c Column) []conformance.Result { return c.of(conformance.NotApplicable) },
	"reasons": reasons, "cell": cell, "trim": strings.TrimSpace,
}).Parse(`# Conformance

{{trim .Made}}

## Summary

| pool | version | pass | fail | n/a |
| --- | --- | --- | --- | --- |
{{range .Columns -}}
| {{.Subject.Name}} | {{.Version}} | {{len (passes .)}} | {{len (fails .)}} | {{len (exempt .)}} |
{{end}}
## Clause by pool

| clause |{{range .Columns}} {{.Subject.Name}} |{{end}}
| --- |{{range .Columns}} --- |{{end}}
{{range $i, $r := (index .Columns 0).Results -}}
| {{$r.Clause.Name}} |{{range $.Columns}} {{cell (index .Results $i)}} |{{end}}
{{end}}
## The clauses

{{range (index .Columns 0).Results -}}
- **{{.Clause.Name}}**: {{.Clause.Promise}}
{{end}}
## Failures, with the reason seen
{{range .Columns}}{{if fails .}}
### {{.Subject.Name}}

{{range fails . -}}
- {{.Clause.Name}}: {{.Reason}}
{{end}}{{end}}{{end}}
## Not applicable, with the reason

(✓) and (✗) say that the clause was examined all the same, and whether it held.
{{range .Columns}}{{if exempt .}}
### {{.Subject.Name}}

{{range reasons (exempt .) -}}
- {{.}}
{{end}}{{end}}{{end}}`))

// WriteTo writes the document.
func (m Matrix) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	if err := page.Execute(&b, m); err != nil {
		return 0, err
	}
	return b.WriteTo(w)
}

func cell(r conformance.Result) string {
	if r.Outcome == conformance.Fail {
		return "**fail**"
	}
	return string(r.Outcome)
}

// reasons returns each reason, in order of appearance, with its clauses.
func reasons(results []conformance.Result) (lines []string) {
	place := map[string]int{}
	for _, r := range results {
		i, known := place[r.Reason]
		if !known {
			place[r.Reason] = len(lines)
			lines = append(lines, r.Reason+": "+r.Clause.Name+held(r))
			continue
		}
		lines[i] += ", " + r.Clause.Name + held(r)
	}
	return lines
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
