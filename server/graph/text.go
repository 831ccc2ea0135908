package graph

import "strings"

// Sizes of texts, in pixels.
const (
	titleSize = 18
	nameSize  = 13
	smallSize = 11
)

// width tells how wide a text is in a sans-serif font, with a little to spare,
// as nobody knows which font it will be.
func width(s string, size int) int {
	units := 0 // hundredths of the size
	for _, r := range s {
		switch {
		case strings.ContainsRune("ijl.,:;'|! ", r):
			units += 30
		case strings.ContainsRune("frt()[]{}/\\-\"", r):
			units += 40
		case strings.ContainsRune("mwMW@%", r):
			units += 92
		case r >= 'A' && r <= 'Z' || strings.ContainsRune("<>=+&?…_$", r):
			units += 70
		case r > 0x2e7f: // as wide as it is high
			units += 110
		default:
			units += 59
		}
	}
	return (units*size + 99) / 100
}

// short cuts a text to a number of characters.
func short(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return strings.TrimSpace(string(r[:most-1])) + "…"
	}
	return s
}

// wrapped breaks a text into lines of some width.
func wrapped(s string, size, most int) (lines []string) {
	for word := range strings.FieldsSeq(s) {
		if n := len(lines); n > 0 && width(lines[n-1]+" "+word, size) <= most {
			lines[n-1] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
