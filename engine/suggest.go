package engine

import (
	"slices"
	"strings"
)

// DidYouMean is the hint for a misspelt name: the nearest known one, or the
// list of them where it is short.
func DidYouMean(name string, known []string) string {
	best, bestDistance := "", 64
	for _, k := range known {
		// A third of the letters may be wrong: cat is no misspelt dog.
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < bestDistance && d <= (len(k)+1)/3 && len(k) > 2 {
			best, bestDistance = k, d
		}
	}
	if best == "" {
		for _, k := range known { // session_create for session.create, email for userEmail
			if loose(k) == loose(name) {
				best = k
			}
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(known) > 0 && len(known) <= 12:
		known = slices.Sorted(slices.Values(known))
		return "known: " + strings.Join(known, ", ")
	}
	return ""
}

// loose spells a name without what people mix up.
func loose(name string) string {
	return strings.NewReplacer("_", "", "-", "", ".", "").Replace(strings.ToLower(name))
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make b of a (Damerau-Levenshtein, optimal string alignment).
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var before, row []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row = make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// joinOr joins names with commas, or says none.
func joinOr(names []string, none string) string {
	if len(names) == 0 {
		return none
	}
	return strings.Join(names, ", ")
}
