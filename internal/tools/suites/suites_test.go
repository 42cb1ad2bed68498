package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// parsed makes events of lines such as "pass Test".
func parsed(t *testing.T, lines ...string) results {
	t.Helper()
	var b strings.Builder
	for _, line := range lines {
		action, name, _ := strings.Cut(line, " ")
		b.WriteString(`{"Action":"` + action + `","Package":"p","Test":"` + name + `","Output":"told by ` + name + `"}` + "\n")
	}
	r, err := parse(strings.NewReader(b.String()))
	require.NoError(t, err)
	return r
}

func TestEachTestIsHeldAgainstItself(t *testing.T) {
	for name, c := range map[string]struct {
		withGo, withPool []string
		want             comparison
	}{
		"passes in both":              {[]string{"pass A", "pass A/x"}, []string{"pass A", "pass A/x"}, comparison{passes: []test{{"p", "A"}, {"p", "A/x"}}}},
		"fails in both":               {[]string{"fail A"}, []string{"fail A"}, comparison{fails: []test{{"p", "A"}}}},
		"fails with the pool":         {[]string{"pass A"}, []string{"fail A"}, comparison{failsWithPool: []test{{"p", "A"}}}},
		"is missing, after a crash":   {[]string{"pass A"}, nil, comparison{failsWithPool: []test{{"p", "A"}}}},
		"is skipped with the pool":    {[]string{"pass A"}, []string{"skip A"}, comparison{failsWithPool: []test{{"p", "A"}}}},
		"fails, and is skipped with":  {[]string{"skip A"}, []string{"fail A"}, comparison{failsWithPool: []test{{"p", "A"}}}},
		"fails with go":               {[]string{"fail A"}, []string{"pass A"}, comparison{failsWithGo: []test{{"p", "A"}}}},
		"fails, then missing":         {[]string{"fail A"}, nil, comparison{fails: []test{{"p", "A"}}}},
		"is skipped in both":          {[]string{"skip A"}, []string{"skip A"}, comparison{}},
		"leaves something behind":     {[]string{"pass A", "pass "}, []string{"pass A", "fail "}, comparison{passes: []test{{"p", "A"}}, failsWithPool: []test{{"p", ""}}}},
		"the package fails by a test": {[]string{"pass A", "pass "}, []string{"fail A", "fail "}, comparison{failsWithPool: []test{{"p", "A"}}}},
	} {
		require.Equal(t, c.want, compare(parsed(t, c.withGo...), parsed(t, c.withPool...)), name)
	}
}

func TestWhatIsNoEventIsAnError(t *testing.T) {
	_, err := parse(strings.NewReader("no tests"))
	require.Error(t, err)
}

func TestTestThatIsRunAgainTakesThePlaceOfTheFirst(t *testing.T) {
	r := parsed(t, "pass Ab", "fail A", "fail A/127.0.0.1:1", "pass B")
	r.replace(parsed(t, "pass A", "pass A/127.0.0.1:2", "output A"), test{"p", "A"})
	require.Equal(t, parsed(t, "pass Ab", "pass A", "pass A/127.0.0.1:2", "pass B").outcome, r.outcome)
	require.Equal(t, "told by A", r.output[test{"p", "A"}])
	r.replace(parsed(t, "fail "), test{"p", ""})
	require.Equal(t, parsed(t, "fail ").outcome, r.outcome, "all of the package")
}

func TestCrashedPackageIsRepeatedByItsTests(t *testing.T) {
	crashed := parsed(t, "fail ")
	crashed.outcome[test{"q", ""}] = "fail"
	require.Equal(t, []test{{"p", "A"}, {"q", ""}}, toRepeat([]test{{"p", ""}, {"p", "A"}, {"p", "A/x"}, {"q", ""}}, crashed))
	require.NotContains(t, crashed.outcome, test{"p", ""})
	require.Contains(t, crashed.outcome, test{"q", ""})
}

// The program prints the same with its go statements as tasks.
func TestGoStatementsBecomeTasks(t *testing.T) {
	const program = `package main

type counter int

func (c *counter) add(n counter, of ...int) { *c += n + counter(len(of)); done <- 0 }

var done = make(chan int)

func main() {
	var c counter
	x := counter(1)
	go c.add(
		x,
		[]int{1, 2}..., // evaluated now
	)
	x = 100
	<-done
	if x > 0 { go c.add(3, 0) }
	<-done
	go func(p *counter, f func()) {
		go func() { *p++; done <- 0 }()
	}(&c, nil)
	<-done
	println(c)
}
`
	changed, err := apply([]edit{{file: "x/main.go"}, {file: "x/main.go", old: "= 100", new: "= 200"}}, func(string) ([]byte, error) { return []byte(program), nil })
	require.NoError(t, err)
	require.Contains(t, string(changed["x/hemlock_suites.go"]), "package main\n")
	require.Contains(t, string(changed["x/hemlock_suites.go"]), "hemlockPool.Run(task)")
	text := string(changed["x/main.go"])
	require.NotRegexp(t, `\bgo `, text)
	require.Contains(t, text, "x = 200")
	file := filepath.Join(t.TempDir(), "main.go")
	text = strings.Replace(text, "println(c)", "println(c, ran)", 1) + "\nvar ran int\nfunc hemlockRun(task func()) { ran++; go task() }\n"
	for code, want := range map[string]string{program: "8\n", text: "8 4\n"} {
		require.NoError(t, os.WriteFile(file, []byte(code), 0o600))
		out, err := exec.CommandContext(t.Context(), "go", "run", file).CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, want, string(out))
	}
}

func TestEditThatChangesNothingIsAnError(t *testing.T) {
	read := func(string) ([]byte, error) { return []byte("package x // go f() twice, twice"), nil }
	for _, e := range []edit{{}, {old: "twice"}, {old: "never"}} {
		_, err := apply([]edit{e}, read)
		require.Error(t, err, e)
	}
}

func TestTableKeepsTheRowsOfOthers(t *testing.T) {
	text := "a\n" + begin + end + "b\n"
	for _, row := range []string{"| conc | old |\n", "| gopool | 1 |\n", "| conc | 2 |\n"} {
		var err error
		text, err = fill(text, strings.Fields(row)[1], row)
		require.NoError(t, err)
	}
	require.Regexp(t, "(?s)^a\n"+begin+`\| library [^\n]*\n\| --- [^\n]*\n\| gopool \| 1 \|\n\| conc \| 2 \|\n`+end+"b\n$", text)
	_, err := fill(begin, "conc", "")
	require.ErrorContains(t, err, "no place")
}
