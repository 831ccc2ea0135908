package format

import (
	"fmt"
	"slices"
	"strings"
)

const (
	around  = 3       // lines that a diff shows around what changed
	maxGrid = 1 << 24 // of what is compared line by line; more counts as changed as a whole
)

// A change is a line of a diff.
type change struct {
	sign byte // ' ', '-' or '+'
	text string
}

// Diff tells what changed in a file, as diff -u does; "" where nothing did.
func Diff(file string, before, after []byte) string {
	all := changes(strings.SplitAfter(string(before), "\n"), strings.SplitAfter(string(after), "\n"))
	var b strings.Builder
	oldLine, newLine := 1, 1
	for from := 0; from < len(all); {
		if all[from].sign == ' ' {
			from, oldLine, newLine = from+1, oldLine+1, newLine+1
			continue
		}
		if b.Len() == 0 {
			fmt.Fprintf(&b, "--- %s\n+++ %s, formatted\n", file, file)
		}
		back := min(around, from)
		to := from
		for next := from; next < len(all) && next <= to+2*around; next++ {
			if all[next].sign != ' ' {
				to = next
			}
		}
		end := min(to+1+around, len(all))
		var hunk strings.Builder
		olds, news := 0, 0
		for _, c := range all[from-back : end] {
			if c.sign != '+' {
				olds++
			}
			if c.sign != '-' {
				news++
			}
			hunk.WriteByte(c.sign)
			hunk.WriteString(strings.TrimSuffix(c.text, "\n") + "\n")
		}
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@\n%s", oldLine-back, olds, newLine-back, news, hunk.String())
		oldLine, newLine, from = oldLine-back+olds, newLine-back+news, end
	}
	return b.String()
}

// changes compares texts line by line.
func changes(before, after []string) (all []change) {
	before, after = slices.DeleteFunc(before, empty), slices.DeleteFunc(after, empty)
	same := 0
	for same < min(len(before), len(after)) && before[same] == after[same] {
		all = append(all, change{' ', before[same]})
		same++
	}
	a, b := before[same:], after[same:]
	end := 0
	for end < min(len(a), len(b)) && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	tail := a[len(a)-end:]
	a, b = a[:len(a)-end], b[:len(b)-end]
	// common[i][j] is how many lines a[i:] and b[j:] have in common, in order.
	common := make([][]int32, len(a)+1)
	if (len(a)+1)*(len(b)+1) > maxGrid {
		common = nil
	}
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0 && common != nil; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case common != nil && i < len(a) && j < len(b) && a[i] == b[j]:
			all = append(all, change{' ', a[i]})
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common == nil || common[i+1][j] >= common[i][j+1]):
			all = append(all, change{'-', a[i]})
			i++
		default:
			all = append(all, change{'+', b[j]})
			j++
		}
	}
	for _, l := range tail {
		all = append(all, change{' ', l})
	}
	return all
}

// empty tells what SplitAfter leaves behind the last line.
func empty(line string) bool { return line == "" }
