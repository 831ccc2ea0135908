package lsp

import (
	"slices"
	"strconv"
	"strings"

	"sluice/engine"
	"sluice/server/flowtext"
)

func (s *server) symbols(p closeParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	if d.sheet == nil || len(d.sheet.Steps) == 0 {
		return []documentSymbol{}, nil
	}
	return d.stepSymbols(d.sheet.Steps, d.Lines()), nil
}

// stepSymbols are the symbols of steps of which the last ends above a line.
func (d *document) stepSymbols(steps []engine.Step, end int) []documentSymbol {
	symbols := make([]documentSymbol, len(steps))
	steps = slices.Clone(steps)
	for i, st := range steps {
		if st.Guard {
			steps[i] = st.Branches[0].Steps[0]
		}
	}
	for i, st := range steps {
		above := end
		if i+1 < len(steps) {
			above = max(d.top(steps[i+1].Pos), st.Pos.Line)
		}
		symbols[i] = d.stepSymbol(st, above)
	}
	return symbols
}

// top is the line in which the step of a verb begins, from 0: its dash stands in
// front of the verb or of a key above it.
func (d *document) top(verb engine.Pos) int {
	for n := verb.Line - 1; n > 0; n-- {
		s := d.LineText(n)
		if dash, key := hang(s); dash < key && key == verb.Column-1 {
			return n
		}
	}
	return verb.Line - 1
}

func (d *document) stepSymbol(st engine.Step, end int) documentSymbol {
	from := d.At(st.Pos.Line, st.Pos.Column)
	name := d.Word(from)
	symbol := documentSymbol{Name: st.Verb, Detail: st.Word, Kind: operatorSymbol, SelectionRange: d.span(from, name)}
	switch st.Verb {
	case "node":
		symbol.Name, symbol.Detail, symbol.Kind = st.Word, "", functionSymbol
	case "let":
		symbol.Detail, symbol.Kind = strings.Join(st.Names, ", "), variableSymbol
	case "respond":
		symbol.Detail, symbol.Kind = strconv.Itoa(st.Status), eventSymbol
	case "send", "fail", "return":
		symbol.Kind = eventSymbol
	}
	if st.ID != "" {
		symbol.Name, symbol.Detail = st.ID, strings.TrimSpace(symbol.Name+" "+symbol.Detail)
	}
	top := d.top(st.Pos)
	dash, _ := hang(d.LineText(top))
	symbol.Range = span{d.position(d.At(top+1, 1)), d.position(d.lastText(st.Pos.Line-1, end, dash+1))}
	for i, b := range st.Branches {
		if len(b.Steps) == 0 {
			continue
		}
		above := end
		if i+1 < len(st.Branches) {
			above = max(st.Branches[i+1].Pos.Line-1, b.Pos.Line)
		}
		at := d.At(b.Pos.Line, b.Pos.Column)
		symbol.Children = append(symbol.Children, documentSymbol{
			Name: strings.TrimSpace(b.Role + " " + b.Name), Kind: arraySymbol,
			Range: span{d.position(at), d.position(d.lastText(b.Pos.Line-1, above, b.Pos.Column-1))}, SelectionRange: d.span(at, d.Word(at)),
			Children: d.stepSymbols(b.Steps, above),
		})
	}
	return symbol
}

// lastText is the end of what begins in a line and is further in than a column, from
// 0, or is a list there. It ends above a line at the latest, and not with a comment.
func (d *document) lastText(first, above, column int) int {
	last := first
	for n := first + 1; n < min(above, d.Lines()); n++ {
		s := d.LineText(n)
		trimmed := strings.TrimSpace(s)
		if trimmed == "" || trimmed[0] == '#' {
			continue
		}
		if in := flowtext.Indent(s); in < column || in == column && trimmed[0] != '-' {
			break
		}
		last = n
	}
	_, to := d.Line(last)
	return to
}
