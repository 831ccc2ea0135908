package studio

import (
	"context"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/flowtext"
	"sluice/server/lsp"
)

// A Question asks what could stand at a place. It is one of a field of a step, for
// forms, and a line and column, for the editor of the text.
type Question struct {
	File   string `json:"file"`
	Text   string `json:"text"`
	Place  string `json:"place"` // as in steps/2/with/email, whether it is there or not
	Line   int    `json:"line"`
	Column int    `json:"column"` // in front of which the cursor is
}

// Offers are what could stand at a place, the best first.
type Offers struct {
	Offers []Offer `json:"offers"`
}

// An Offer is a text that could stand there.
type Offer struct {
	Label  string `json:"label"`
	Text   string `json:"text"`   // what is written
	From   int    `json:"from"`   // column from which it stands in place of what is there, up to the cursor; 0 for a field
	Kind   string `json:"kind"`   // reference, value, node, key, code, type, word
	Detail string `json:"detail"` // its type, in a few words
	Doc    string `json:"doc"`
	Fits   bool   `json:"fits"` // of a field: its type is the one wanted; others come behind
	rank   int
}

// How well a reference fits a parameter, the best first.
const (
	proofRank = iota // it is of a type of its own, as a proven user id
	nameRank         // its last name is that of the parameter, or its names together are
	typeRank         // its type fits
	anyRank          // the parameter takes anything
	otherRank        // it does not fit
)

// fieldOffers are the references of a scope, those that fit a parameter first.
func fieldOffers(scope engine.Scope, p *engine.Prop) (all []Offer) {
	for _, r := range lsp.References(scope) {
		if r.Type == nil {
			continue
		}
		o := Offer{Label: r.Text, Text: r.Text, Kind: "reference", Detail: lsp.Describe(r.Type), Doc: r.Doc, Fits: p.Takes(r.Type, r.Optional), rank: otherRank}
		if r.Optional {
			o.Detail += ", may be absent"
		}
		path := strings.Split(strings.TrimPrefix(r.Text, "$"), ".")
		last := path[len(path)-1]
		joined := path[0] + strings.ToUpper(last[:1]) + last[1:]
		switch {
		case !o.Fits:
		case p.Type.Nominal:
			o.rank = proofRank
		case strings.EqualFold(last, p.Name) || len(path) > 1 && strings.EqualFold(joined, p.Name):
			o.rank = nameRank
		case p.Type.Base == engine.Any || p.Type.Open:
			o.rank = anyRank
		default:
			o.rank = typeRank
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b Offer) int { return a.rank - b.rank })
	return all
}

func (s *Studio) complete(_ context.Context, in Question) (Offers, error) {
	if err := checkFile(in.File); err != nil {
		return Offers{}, err
	}
	survey, err := s.surveyed()
	if err != nil {
		return Offers{}, err
	}
	if in.Place == "" {
		return atCursor(survey, in)
	}
	tree, err := flowtext.Read(in.File, in.Text)
	if err != nil {
		return Offers{}, impossible(err)
	}
	step, below := flowtext.StepOf(in.Place)
	scope := scopeAt(survey, in.File, tree, in.Place)
	p := &engine.Prop{Type: engine.TypeOf[any]()}
	if name, ok := strings.CutPrefix(below, "with/"); ok {
		if found := parameter(survey, tree, step, name); found != nil {
			p = found
		}
	}
	out := Offers{Offers: fieldOffers(scope, p)}
	var first []Offer
	switch {
	case p.Type.Base == engine.Boolean:
		for _, word := range []string{"true", "false"} {
			first = append(first, Offer{Label: word, Text: word, Kind: "value", Fits: true})
		}
	default:
		for _, e := range p.Type.Enum {
			first = append(first, Offer{Label: e, Text: e, Kind: "value", Fits: true})
		}
	}
	out.Offers = append(first, out.Offers...)
	return out, nil
}

// parameter is that of the node of a step, or nil.
func parameter(survey *engine.Survey, tree *flowtext.Tree, step, name string) *engine.Prop {
	node := tree.Find(flowtext.Join(step, "node"))
	if node == nil {
		return nil
	}
	for _, n := range survey.Nodes {
		if n.Name == node.Value.Value {
			return n.In.Prop(name)
		}
	}
	return nil
}

// atCursor are the offers for a place in the text.
func atCursor(survey *engine.Survey, in Question) (out Offers, err error) {
	if in.Line < 1 || in.Column < 1 {
		return out, refused("bad_input", "Where? It takes a place, or a line and a column from 1.")
	}
	for _, o := range lsp.NewPage(survey, in.File, in.Text).Offers(in.Line, in.Column) {
		out.Offers = append(out.Offers, Offer{Label: o.Label, Text: o.Text, From: o.From, Kind: o.Kind, Detail: o.Detail, Doc: o.Doc, Fits: true})
	}
	return out, nil
}
