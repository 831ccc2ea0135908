package studio

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/server/flowtext"
	"sluice/server/lsp"
)

// gesture makes one change of a text and returns where what it made is.
func gesture(survey *engine.Survey, file, text string, g Gesture) (changed, at string, err error) {
	tree, err := flowtext.Read(file, text)
	if err != nil {
		return "", "", err
	}
	h := &hand{survey, file, tree}
	switch g.Do {
	case "set":
		v, err := flowtext.FromJSON(g.Value)
		if err != nil {
			return "", "", err
		}
		changed, err = tree.Set(g.At, v)
		return changed, g.At, err
	case "unset", "delete":
		changed, err = tree.Unset(g.At)
		return changed, "", err
	case "name":
		return h.name(g)
	case "insert":
		step, err := h.step(g)
		if err != nil {
			return "", "", err
		}
		changed, err = tree.Insert(g.At, step)
		return changed, h.landed(g.At), err
	case "move":
		return tree.Move(g.At, g.To)
	case "copy":
		return h.copy(g)
	case "rename":
		return h.rename(g)
	case "route":
		return h.route(g)
	case "wrap":
		return h.wrap(g)
	}
	return "", "", fmt.Errorf("there is no gesture %.40q", g.Do)
}

// A hand makes gestures on one text.
type hand struct {
	survey *engine.Survey
	file   string
	tree   *flowtext.Tree
}

func (h *hand) page(text string) *lsp.Page { return lsp.NewPage(h.survey, h.file, text) }

// landed is the place that an item gets which is put to a place behind the end of a list.
func (h *hand) landed(place string) string {
	around, key := flowtext.Split(place)
	n, err := strconv.Atoi(key)
	if up := h.tree.Find(around); err == nil && up != nil {
		n = min(n, len(up.Children()))
	} else {
		n = 0
	}
	return flowtext.Join(around, strconv.Itoa(n))
}

// name gives a key another name; what refers to it follows.
func (h *hand) name(g Gesture) (changed, at string, err error) {
	around, old := flowtext.Split(g.At)
	at = flowtext.Join(around, g.To)
	if step, below := flowtext.StepOf(g.At); step != "" && strings.HasPrefix(below, "let/") {
		return h.rename(g)
	}
	if changed, err = h.tree.Key(g.At, g.To); err != nil {
		return "", "", err
	}
	parts := strings.Split(g.At, "/")
	switch {
	case len(parts) == 3 && parts[0] == "input":
		from, to := strings.TrimSuffix(old, "?"), strings.TrimSuffix(g.To, "?")
		return h.page(changed).Follow([]string{parts[1], from}, []string{parts[1], to}), at, nil
	case len(parts) == 2 && parts[0] == "params":
		return h.page(changed).Follow([]string{"params", strings.TrimSuffix(old, "?")}, []string{"params", strings.TrimSuffix(g.To, "?")}), at, nil
	}
	return changed, at, nil
}

// rename gives a step another id, or a let another name; references follow.
func (h *hand) rename(g Gesture) (changed, at string, err error) {
	spot := h.tree.Find(g.At)
	if spot == nil {
		return "", "", fmt.Errorf("there is nothing at %s", g.At)
	}
	var named *yaml.Node
	if flowtext.IsStep(g.At) {
		if id := h.tree.Find(flowtext.Join(g.At, "id")); id != nil {
			named = id.Value
		} else {
			changed, err = h.tree.Set(flowtext.Join(g.At, "id"), flowtext.Word(g.To))
			return changed, g.At, err
		}
		if g.To == "" {
			changed, err = h.tree.Unset(flowtext.Join(g.At, "id"))
			return changed, g.At, err
		}
	} else if spot.Key != nil {
		named = spot.Key
		around, _ := flowtext.Split(g.At)
		g.At = flowtext.Join(around, g.To)
	}
	if named == nil {
		return "", "", errors.New("only steps and names that let gives have a name")
	}
	changed, err = h.page(h.tree.S).Rename(named.Line, named.Column, g.To)
	return changed, g.At, err
}

// copy puts a copy of a step somewhere, with ids that are free.
func (h *hand) copy(g Gesture) (changed, at string, err error) {
	if changed, err = h.tree.Copy(g.At, g.To); err != nil {
		return "", "", err
	}
	at = h.landed(g.To)
	for {
		tree, err := flowtext.Read(h.file, changed)
		if err != nil {
			return "", "", err
		}
		ids, twice := idsOf(tree), ""
		tree.Walk(func(s *flowtext.Spot) bool {
			if around, key := flowtext.Split(s.Place); key == "id" && flowtext.IsStep(around) && (around == at || strings.HasPrefix(around, at+"/")) && ids[s.Value.Value] > 1 && twice == "" {
				twice = s.Place
			}
			return true
		})
		if twice == "" {
			return changed, at, nil
		}
		if changed, err = tree.Set(twice, flowtext.Word((&hand{tree: tree}).free(tree.Find(twice).Value.Value))); err != nil {
			return "", "", err
		}
	}
}

// idsOf counts the ids of the steps of a text.
func idsOf(tree *flowtext.Tree) map[string]int {
	ids := map[string]int{}
	tree.Walk(func(s *flowtext.Spot) bool {
		around, key := flowtext.Split(s.Place)
		if key == "id" && flowtext.IsStep(around) {
			ids[s.Value.Value]++
		}
		if up, let := flowtext.Split(around); let == "let" && flowtext.IsStep(up) {
			ids[key]++
		}
		return true
	})
	return ids
}

// roots are names that ids would hide.
var roots = []string{"path", "query", "headers", "body", "session", "request", "apiKey", "env", "params", "error", "item"}

// free is an id that is not taken: the one wanted, or that with a number.
func (h *hand) free(want string) string {
	ids := idsOf(h.tree)
	mode := h.tree.Find("session")
	none := mode != nil && mode.Value.Value == engine.SessionNone.String() // a step can be called session then
	stem := strings.TrimRight(want, "0123456789")
	for n, id := 2, want; ; n++ {
		if ids[id] == 0 && (!slices.Contains(roots, id) || none && id == "session") {
			return id
		}
		id = stem + strconv.Itoa(n)
	}
}

// route leads an outcome of a step somewhere.
func (h *hand) route(g Gesture) (changed, at string, err error) {
	at = flowtext.Join(g.At, "on", g.Outcome)
	switch g.To {
	case "continue":
		changed, err = h.tree.Set(at, flowtext.Word("continue"))
	case "fail":
		if g.Code == "" {
			return "", "", errors.New("a fail names the code of an error")
		}
		block := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{flowtext.Map("fail", flowtext.Word(g.Code))}}
		changed, err = h.tree.Set(at, block)
	case "":
		if h.tree.Find(at) == nil {
			return h.tree.S, g.At, nil
		}
		changed, err = h.tree.Unset(at)
		at = g.At
	default:
		return "", "", fmt.Errorf("an outcome cannot be led to %.40q", g.To)
	}
	return changed, at, err
}

// wrap puts a step into a new one.
func (h *hand) wrap(g Gesture) (changed, at string, err error) {
	var head *yaml.Node
	block := map[string]string{"if": "then", "each": "do", "try": "try"}[g.Verb]
	switch {
	case block == "":
		return "", "", fmt.Errorf("a step cannot be put into %.40q", g.Verb)
	case g.Verb == "try":
	case len(g.Value) > 0:
		v, err := flowtext.FromJSON(g.Value)
		if err != nil {
			return "", "", err
		}
		head = flowtext.Map(g.Verb, v)
	case g.Verb == "if":
		head = flowtext.Map("if", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	default:
		list := h.fitting(g.At, func(r lsp.Reference) bool { return r.Type != nil && r.Type.Base == engine.Array && !r.Optional })
		head = flowtext.Map("each", flowtext.Word(cmp.Or(list, "$body.items")))
	}
	changed, err = h.tree.Wrap(g.At, head, block)
	return changed, g.At, err
}

// fitting is the first reference that can be written at a place and fits, or "".
func (h *hand) fitting(place string, fits func(lsp.Reference) bool) string {
	for _, r := range lsp.References(scopeAt(h.survey, h.file, h.tree, place)) {
		if fits(r) {
			return r.Text
		}
	}
	return ""
}

// scopeAt is what references can begin with at a place, which need not be there.
func scopeAt(survey *engine.Survey, file string, tree *flowtext.Tree, place string) engine.Scope {
	sheet, _ := survey.Read(file, []byte(tree.S))
	if sheet == nil {
		return engine.Scope{}
	}
	step, below := flowtext.StepOf(place)
	if below == "collect" {
		if do := tree.Find(flowtext.Join(step, "do")); do != nil {
			return sheet.End(posOf(do.Value))
		}
	}
	for at := step; at != ""; {
		around, _ := flowtext.Split(at)
		if s := tree.Find(at); s != nil && s.Up != nil {
			return sheet.Scope(posOf(s.Up.Value), posOf(s.Value))
		}
		if up := tree.Find(around); up != nil && up.Value != nil && up.Value.Kind == yaml.SequenceNode {
			return sheet.End(posOf(up.Value))
		}
		at, _ = flowtext.StepOf(around) // a block that is not there yet begins as its step does
	}
	return sheet.Start()
}

// step makes the step that is to be inserted.
func (h *hand) step(g Gesture) (*yaml.Node, error) {
	switch {
	case g.YAML != "":
		return pasted(h.file, g.YAML)
	case g.Node != "":
		return h.nodeStep(g)
	}
	starts := map[string]string{
		"if": `{"if": true, "then": [{"fail": "CODE"}]}`, "switch": `{"switch": "LIST", "cases": {"first": [{"fail": "CODE"}]}}`,
		"each": `{"each": "LIST", "do": [{"let": {"value": "$item"}}]}`, "parallel": `{"parallel": {"first": [{"let": {"one": 1}}], "second": [{"let": {"two": 2}}]}}`,
		"try": `{"try": [{"let": {"value": 1}}], "catch": {"any": [{"fail": "CODE"}]}}`, "let": `{"let": {"NAME": ""}}`,
		"respond": `{"respond": 200, "body": {}}`, "fail": `{"fail": "CODE"}`, "return": `{"return": {}}`, "send": `{"send": "progress", "data": {}}`,
	}
	start, ok := starts[g.Verb]
	if !ok {
		return nil, fmt.Errorf("there is no step %.40q", cmp.Or(g.Verb, g.Node))
	}
	code := "invalid_input"
	if len(h.survey.Errors) > 0 {
		code = h.survey.Errors[0].Code
	}
	list := h.fitting(g.At, func(r lsp.Reference) bool { return r.Type != nil && r.Type.Base == engine.Array && !r.Optional })
	fill := strings.NewReplacer("CODE", code, "LIST", cmp.Or(list, "$body.items"), "NAME", h.free("value"))
	return flowtext.FromJSON([]byte(fill.Replace(start)))
}

// pasted reads a step that comes as a text.
func pasted(file, text string) (*yaml.Node, error) {
	tree, err := flowtext.Read(file, text)
	switch {
	case err != nil:
		return nil, err
	case tree.Root != nil && tree.Root.Kind == yaml.SequenceNode && len(tree.Root.Content) == 1:
		return tree.Root.Content[0], nil
	case tree.Root != nil && tree.Root.Kind == yaml.MappingNode:
		return tree.Root, nil
	}
	return nil, errors.New("the text is not one step")
}

// nodeStep makes a step of a node: an id where it gives something, and the required
// parameters for which a reference is there that fits.
func (h *hand) nodeStep(g Gesture) (*yaml.Node, error) {
	i := slices.IndexFunc(h.survey.Nodes, func(n *engine.Node) bool { return n.Name == g.Node })
	if i < 0 {
		return nil, fmt.Errorf("there is no node %.60q", g.Node)
	}
	n := h.survey.Nodes[i]
	step := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	add := func(key string, v *yaml.Node) { step.Content = append(step.Content, flowtext.Word(key), v) }
	if len(n.Out.Props) > 0 || n.Out.Open {
		family, _, _ := strings.Cut(n.Name, ".")
		add("id", flowtext.Word(h.free(family)))
	}
	add("node", flowtext.Word(n.Name))
	with := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	wanted := map[string]bool{}
	for _, p := range n.In.Props {
		wanted[p.Name] = !p.Optional && !p.HasDefault
	}
	for _, group := range n.Alternatives() {
		if !slices.ContainsFunc(group, func(name string) bool { return h.likely(g.At, n.In.Prop(name)) == "" }) {
			for _, name := range group {
				wanted[name] = true
			}
			break
		}
	}
	for _, p := range n.In.Props {
		own := p.Type.Base == engine.Object && p.Type.Name != "" // a value that steps give, as a User
		if r := h.likely(g.At, p); r != "" && (wanted[p.Name] || own) {
			with.Content = append(with.Content, flowtext.Word(p.Name), flowtext.Word(r))
		}
	}
	if len(with.Content) > 0 {
		add("with", with)
	}
	return step, nil
}

// likely is the reference that is most likely meant for a parameter, or "": the only one
// of its very type, or the one that is called as it is.
func (h *hand) likely(place string, p *engine.Prop) string {
	offers := fieldOffers(scopeAt(h.survey, h.file, h.tree, place), p)
	if len(offers) > 0 && offers[0].Fits && offers[0].rank <= nameRank {
		return offers[0].Text
	}
	if len(offers) == 1 && offers[0].Fits {
		return offers[0].Text
	}
	return ""
}
