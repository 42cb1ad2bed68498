package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const diff = `diff --git a/pool.go b/pool.go
index 1..2 100644
--- a/pool.go
+++ b/pool.go
@@ -3 +3,2 @@ func f() {
-	old()
+	new()
+	newer()
@@ -10,2 +10,0 @@ func g() {
-	a()
-	b()
diff --git a/gone.go b/gone.go
--- a/gone.go
+++ /dev/null
@@ -1 +0,0 @@
-package p
diff --git a/internal/handoff/gate.go b/internal/handoff/gate.go
--- a/internal/handoff/gate.go
+++ b/internal/handoff/gate.go
@@ -7 +7 @@
-const a = 1
+const a = 2
`

// What was added counts, and the lines around what was taken out.
func TestChangedLines(t *testing.T) {
	changed, err := parseDiff(diff)
	require.NoError(t, err)
	for _, c := range []struct {
		file        string
		line, lines int
		touched     bool
	}{
		{"pool.go", 2, 1, false},
		{"pool.go", 2, 2, true},
		{"pool.go", 3, 1, true},
		{"pool.go", 4, 1, true},
		{"pool.go", 5, 1, false},
		{"pool.go", 9, 1, false},
		{"pool.go", 10, 1, true},
		{"pool.go", 11, 1, true},
		{"pool.go", 12, 1, false},
		{"internal/handoff/gate.go", 7, 1, true},
		{"internal/handoff/gate.go", 6, 1, false},
		{"gate.go", 7, 1, false},
	} {
		require.Equal(t, c.touched, changed.touch(&mutant{file: c.file, line: c.line, lines: c.lines}), "%+v", c)
	}
}

func TestDiffThatIsNotUnderstood(t *testing.T) {
	const head = "diff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n"
	for _, rest := range []string{"@@ -1,2 +1 @@\n-a\n", "@@ -x +1 @@\n"} {
		_, err := parseDiff(head + rest)
		require.Error(t, err, rest)
	}
}
