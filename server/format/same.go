package format

import (
	"unicode"

	"gopkg.in/yaml.v3"
)

// differ says what a formatted text means otherwise than the document that it
// was made from, "" for nothing.
func differ(d *document, out []byte) string {
	after, err := parse(d.file, out)
	switch {
	case err != nil:
		return "the file into one that is not YAML"
	case (d.root == nil) != (after.root == nil):
		return "the file"
	case d.root != nil && !same(d.root, after.root):
		return "the meaning of the file"
	case letters(d) != letters(after):
		return "a comment"
	}
	return ""
}

// same tells whether two trees are the same, down to their quotes.
func same(a, b *yaml.Node) bool {
	if a.Kind != b.Kind || a.Tag != b.Tag || a.Value != b.Value || a.Style != b.Style || len(a.Content) != len(b.Content) {
		return false
	}
	for i := range a.Content {
		if !same(a.Content[i], b.Content[i]) {
			return false
		}
	}
	return true
}

// A tally counts characters by their last byte.
type tally [256]int

// letters counts the characters of a document but its spaces, which tells
// whether every comment is still there.
func letters(d *document) (t tally) {
	for _, line := range d.lines {
		for _, r := range line {
			if !unicode.IsSpace(r) {
				t[uint8(r)]++
			}
		}
	}
	return t
}
