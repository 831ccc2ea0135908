package audit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Most bytes of an event's texts.
const (
	maxName    = 128 // ids and names
	maxAgent   = 256
	maxDetail  = 256
	maxDetails = 16 // how many
)

// Visible returns the first n bytes of a text without what is no text, without
// control characters and without those that change how others are shown.
func Visible(s string, n int) string {
	s = strings.ToValidUTF8(s[:min(n, len(s))], "")
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, s)
}

// clean cuts the texts of an event.
func (e *Event) clean() {
	for _, text := range []*string{&e.Actor, &e.Subject, &e.SessionID, &e.IP, &e.RequestID, &e.Flow, &e.Outcome} {
		*text = Visible(*text, maxName)
	}
	e.UserAgent = Visible(e.UserAgent, maxAgent)
	kept := make(map[string]string, min(len(e.Details), maxDetails))
	for name, value := range e.Details {
		if len(kept) < maxDetails && value != "" {
			kept[Visible(name, maxName)] = Visible(value, maxDetail)
		}
	}
	e.Details = nil
	if len(kept) > 0 {
		e.Details = kept
	}
}

// Names writes a list of names into a detail, as many as fit, and none as such.
func Names(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, n := range names {
		if b.Len()+len(n)+2 > maxDetail-utf8.UTFMax {
			b.WriteString("…")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(n)
	}
	return b.String()
}
