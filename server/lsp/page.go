package lsp

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"sluice/engine"
)

// A Page is one flow file with what is known of the others, for tools that help its
// author without speaking the protocol. Lines and columns are those of problems.
type Page struct{ *document }

// NewPage makes a page of the text that a file has now.
func NewPage(survey *engine.Survey, file, s string) *Page {
	d := &document{name: file, text: newText(s), folder: &folder{survey: survey}}
	d.refresh()
	return &Page{d}
}

// Unsaved returns a file system in which some files are as they were not saved yet.
func Unsaved(files fs.FS, open map[string]string) fs.FS { return overlay{files, open} }

// An Offer is a text that could stand at a place.
type Offer struct {
	Label, Text, Detail, Doc string
	From                     int    // column from which it stands in place of what is there
	Kind                     string // node, key, reference, value, code, type or word
}

var offerKinds = map[int]string{
	functionItem: "node", propertyItem: "key", variableItem: "reference", fieldItem: "reference", valueItem: "value", eventItem: "code",
	classItem: "type", keywordItem: "word",
}

// Offers returns what could stand at a place, in order.
func (p *Page) Offers(line, column int) []Offer {
	at := p.At(line, column)
	if _, end := p.Line(line - 1); column > utf8.RuneCountInString(p.LineText(line-1)) {
		at = end
	}
	var all []Offer
	for _, item := range p.offers(at) {
		o := Offer{Label: item.Label, Text: item.FilterText, Detail: item.Detail, From: column, Kind: offerKinds[item.Kind]}
		if item.TextEdit != nil {
			begin, _ := p.Line(line - 1)
			o.Text = item.TextEdit.NewText
			o.From = utf8.RuneCountInString(p.S[begin:p.offset(item.TextEdit.Range.Start)]) + 1
		}
		if item.Documentation != nil {
			o.Doc = item.Documentation.Value
		}
		all = append(all, o)
	}
	return all
}

// Rename gives a name that is declared at a place another one, with all references
// to it, and returns the text.
func (p *Page) Rename(line, column int, name string) (string, error) {
	edits, err := p.renamed(p.At(line, column), name)
	if f := (*failure)(nil); errors.As(err, &f) {
		return "", errors.New(f.Message)
	}
	if err != nil {
		return "", err
	}
	return p.edited(edits), nil
}

// Follow makes references that begin with a path begin with another one, and returns
// the text.
func (p *Page) Follow(path, other []string) string {
	root, _ := parse(p.S)
	var edits []textEdit
	walk(root, rootSort(p.name), func(sp spot) bool {
		for _, u := range uses(p.text, sp) {
			if len(u.path) >= len(path) && slices.Equal(u.path[:len(path)], path) {
				edits = append(edits, textEdit{p.span(u.from, u.from+len(strings.Join(path, "."))), strings.Join(other, ".")})
			}
		}
		return true
	})
	return p.edited(edits)
}

// edited does edits, which do not overlap.
func (d *document) edited(edits []textEdit) string {
	slices.SortFunc(edits, func(a, b textEdit) int {
		return cmp.Or(b.Range.Start.Line-a.Range.Start.Line, b.Range.Start.Character-a.Range.Start.Character)
	})
	s := d.S
	for _, e := range edits {
		s = s[:d.offset(e.Range.Start)] + e.NewText + s[d.offset(e.Range.End):]
	}
	return s
}

// deepest is how many names of objects inside objects a reference is offered with.
const deepest = 4

// A Reference is one that could be written at a place.
type Reference struct {
	Text     string // with its dollar sign
	Type     *engine.Type
	Optional bool
	Doc      string
}

// References returns all that references can lead to in a scope, those that steps
// set last first.
func References(scope engine.Scope) (all []Reference) {
	var in func(path []string, f found)
	in = func(path []string, f found) {
		all = append(all, Reference{"$" + strings.Join(path, "."), f.t, f.optional, f.doc})
		if f.t == nil || len(path) >= deepest {
			return
		}
		for _, prop := range scopeForm(scope, f.t, path).Props {
			inner := append(slices.Clone(path), prop.Name)
			if f, ok := follow(scope, inner); ok {
				in(inner, f)
			}
		}
	}
	for _, ofStep := range []bool{true, false} {
		for _, n := range slices.Backward(scope.Names) {
			if (n.Pos.File != "") == ofStep {
				if f, ok := follow(scope, []string{n.Name}); ok {
					in([]string{n.Name}, f)
				}
			}
		}
	}
	return all
}

// TypeOf returns the type of a reference in a scope, or nil.
func TypeOf(scope engine.Scope, reference string) *engine.Type {
	path, ok := strings.CutPrefix(reference, "$")
	if !ok {
		return nil
	}
	f, ok := follow(scope, strings.Split(path, "."))
	if !ok {
		return nil
	}
	return f.t
}

// Describe tells a type in a few words, as in string (email).
func Describe(t *engine.Type) string { return describe(t) }

// StepDoc says what a key of a step means.
func StepDoc(key string) string { return stepDocs[key] }
