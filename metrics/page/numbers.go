package page

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// comma returns n with its digits in groups of three.
func comma(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// large returns n for a figure in large letters, which has room for six digits.
func large(n int64) string {
	if n < 1_000_000 {
		return comma(n)
	}
	return strconv.FormatFloat(float64(n)/1e6, 'f', 2, 64) + "M"
}

// count returns the number with the noun that agrees with it.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return comma(n) + " " + many
}

// short returns a number for an axis: 1,200 as 1.2k.
func short(v float64) string {
	for _, unit := range []struct {
		value float64
		name  string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= unit.value {
			return strconv.FormatFloat(v/unit.value, 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// perSecond returns a rate for a legend: with one decimal where it matters.
func perSecond(v float64) string {
	if v > 0 && v < 10 && v != math.Trunc(v) {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return comma(int64(math.Round(v)))
}

// seconds returns a time as a person would say it.
func seconds(s float64) string {
	switch {
	case s < 1:
		return "1 s"
	case s < 120:
		return fmt.Sprintf("%.0f s", s)
	case s < 2*3600:
		return fmt.Sprintf("%.0f min", s/60)
	case s < 48*3600:
		return fmt.Sprintf("%.0f h", s/3600)
	case s < 2*365*86400:
		return fmt.Sprintf("%.0f days", s/86400)
	}
	return comma(int64(s/(365*86400))) + " years"
}

// duration returns a setting as it was given: 1.5s as 1.5 s.
func duration(d time.Duration) string {
	for _, unit := range []struct {
		value time.Duration
		name  string
	}{{time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if d >= unit.value && d%(unit.value/10) == 0 {
			return strconv.FormatFloat(float64(d)/float64(unit.value), 'f', -1, 64) + " " + unit.name
		}
	}
	return d.String()
}
