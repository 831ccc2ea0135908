package cli

import (
	"fmt"
	"os"
	"strings"

	"sluice/engine"
)

// snippets are the lines of files that have problems, each file read once.
type snippets map[string][]string

// of returns the line of a place with a caret below its column, or "" where
// there is no such line.
func (s snippets) of(at engine.Pos) string {
	lines, ok := s[at.File]
	if !ok {
		if data, err := os.ReadFile(at.File); err == nil { // the problem is told all the same
			lines = strings.Split(string(data), "\n")
		}
		s[at.File] = lines
	}
	if at.Line < 1 || at.Line > len(lines) {
		return ""
	}
	line := strings.TrimRight(lines[at.Line-1], "\r")
	number := fmt.Sprintf("%5d", at.Line)
	var indent strings.Builder
	column := 1
	for _, r := range line {
		if column == at.Column {
			break
		}
		if r != '\t' { // which is as wide as itself
			r = ' '
		}
		indent.WriteRune(r)
		column++
	}
	shown := strings.TrimRight(number+" | "+line, " ")
	return fmt.Sprintf("%s\n%*s | %s^\n", shown, len(number), "", indent.String())
}

// isTerminal tells whether somebody watches what is written.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
