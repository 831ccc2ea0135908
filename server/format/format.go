// Package format writes flow files in the one way in which all flow files are
// written. It works on the text, not on a tree that it would print anew: quotes,
// comments and the breaks of lines stay as their author has them.
//
// What it does: two spaces for each level, lists below their key too; the keys
// of a flow and of its steps in the order of the documentation; one space
// behind a colon, unless lines that follow each other are aligned; one space
// around what stands in {...} and [...] on one line; at least two spaces in
// front of a comment that ends a line; at most one blank line, and none at the
// ends of the file; no spaces at the ends of lines.
//
// What it does not: it never breaks or joins long lines, and where a comment
// could belong to more than one key, it leaves the keys in their order.
package format

import (
	"bytes"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// maxFile bounds a file, in bytes.
const maxFile = 1 << 20

// Source formats the text of a file. Where the text is not YAML, or YAML that
// flows do without, the error is engine.Problems. Formatting twice is the same
// as formatting once, and the meaning is compared before and after: text that
// it would change is a problem too.
func Source(file string, text []byte) ([]byte, error) {
	d, err := parse(file, text)
	if err != nil {
		return nil, err
	}
	b, err := d.read()
	if err != nil {
		return nil, err
	}
	arrange(d.root, b)
	out := printed(b)
	if why := differ(d, out); why != "" {
		return nil, d.problem(1, 1, "format it by hand and please report it", "formatting would change %s", why)
	}
	return out, nil
}

// A document is a file while it is read.
type document struct {
	file  string
	lines [][]rune
	root  *yaml.Node
	next  int // line that was not read yet, from 0
}

func (d *document) problem(line, column int, hint, format string, args ...any) error {
	return engine.Problems{{Pos: engine.Pos{File: d.file, Line: line, Column: column}, Message: fmt.Sprintf(format, args...), Hint: hint}}
}

// parse reads a text into lines and a tree. A text without anything but
// comments has no root.
func parse(file string, text []byte) (d *document, err error) {
	d = &document{file: file}
	if len(text) > maxFile {
		return nil, d.problem(1, 1, "split it", "the file is larger than %d KiB", maxFile>>10)
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	started := false
	for i, line := range lines {
		if j := strings.IndexAny(line, "\r\u0085\u2028\u2029"); j >= 0 {
			return nil, d.problem(i+1, j+1, "end lines with a line feed, or write the character as an escape in double quotes", "lines end in more than one way")
		}
		if bare := strings.TrimSpace(line); !started && bare != "" && bare[0] != '#' {
			started = true
			if strings.TrimRight(line, " \t") == "---" { // says nothing where there is one document
				line, lines[i] = "", ""
			}
		}
		d.lines = append(d.lines, []rune(line))
	}
	root, second, mistake := engine.ReadYAML(file, []byte(strings.Join(lines, "\n")+"\n"))
	if mistake != nil {
		return nil, engine.Problems{*mistake}
	}
	if second != nil {
		return nil, d.problem(max(1, second.Line), max(1, second.Column), "one file holds one flow", "there is a second document behind ---")
	}
	if d.root = root; root != nil {
		if err := d.plain(root); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// plain refuses the parts of YAML that flows do without.
func (d *document) plain(n *yaml.Node) error {
	what := ""
	switch {
	case n.Kind == yaml.AliasNode:
		what = "aliases (*name)"
	case n.Anchor != "":
		what = "anchors (&name)"
	case n.Style&yaml.TaggedStyle != 0:
		what = "tags (!name)"
	case n.Tag == "!!merge":
		what = "merge keys (<<)"
	}
	if what != "" {
		return d.problem(n.Line, n.Column, "write the value out where it is used", "%s cannot be used in flows", what)
	}
	for _, c := range n.Content {
		if err := d.plain(c); err != nil {
			return err
		}
	}
	return nil
}
