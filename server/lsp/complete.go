package lsp

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// A completer gathers what could stand where the cursor is.
type completer struct {
	place
	doc   *document
	items []completionItem
}

func (s *server) complete(p placeParams) (any, error) {
	d := s.document(p.TextDocument.URI)
	if d == nil {
		return nil, nil
	}
	return completionList{Items: d.offers(d.offset(p.Position))}, nil
}

// offers returns what could stand at a place.
func (d *document) offers(at int) []completionItem {
	here, ok := placeAt(d.text, at, rootSort(d.name))
	if !ok || d.folder.survey == nil {
		return []completionItem{}
	}
	c := &completer{place: here, doc: d, items: []completionItem{}}
	switch {
	case here.key:
		c.keys()
	case here.sort == stepSort:
		c.steps()
	default:
		c.values()
	}
	return c.items
}

// add offers a text in place of what of it stands in front of the cursor.
func (c *completer) add(kind int, label, detail, doc, text string, typed int) {
	item := completionItem{
		Label: label, Kind: kind, Detail: detail, FilterText: text,
		SortText: fmt.Sprintf("%03d", len(c.items)),
		TextEdit: &textEdit{c.doc.span(c.at-typed, c.at), text},
	}
	if doc != "" {
		item.Documentation = markdown(doc)
	}
	c.items = append(c.items, item)
}

// addKey offers a key, with its colon where there is none.
func (c *completer) addKey(name, detail, doc string) {
	text := name
	if !c.colon {
		text += ":"
		switch c.sort.behind(c.mapping(), name) {
		case blockSort, blocksSort, catchSort, inputSort, outcomesSort: // go on in the next line
		default:
			text += " "
		}
	}
	c.add(propertyItem, name, detail, doc, text, len(c.prefix))
	c.items[len(c.items)-1].FilterText = name
}

func (c *completer) addKeys(names []string, docs map[string]string) {
	for _, name := range names {
		if childKey(c.mapping(), name) < 0 {
			c.addKey(name, "", docs[name])
		}
	}
}

// keys offers the keys that a mapping does not have yet.
func (c *completer) keys() {
	switch c.sort {
	case flowSort:
		switch m := c.mapping(); {
		case childKey(m, "node") >= 0:
			c.addKeys(engine.NodeFlowKeys(), flowDocs)
		case childKey(m, "endpoint") >= 0 || childKey(m, "graphql") >= 0 || childKey(m, "session") >= 0:
			c.addKeys(engine.HeaderKeys(), flowDocs)
		default:
			c.addKeys(append(engine.HeaderKeys(), "node", "params", "outcomes"), flowDocs)
		}
	case stepSort:
		if verb := verbOf(c.mapping()); verb != "" {
			c.addKeys(engine.StepKeys(verb), stepDocs)
		} else {
			c.steps()
		}
	case paramsSort:
		c.params()
	case onSort:
		if n := c.stepNode(); n != nil {
			for _, o := range n.Outcomes {
				if childKey(c.mapping(), o.Name) < 0 {
					c.addKey(o.Name, o.Kind.String(), o.Doc)
				}
			}
		}
	case catchSort:
		c.addKey("any", "", "Every failure.")
		for _, code := range engine.OwnCodes() {
			c.addKey(code, "", "")
		}
		for _, e := range c.doc.folder.survey.Errors {
			c.addKey(e.Code, fmt.Sprint(e.Status), e.Message)
		}
	case typeSort:
		c.schema()
	default:
		for _, w := range otherDocs[c.sort] {
			if childKey(c.mapping(), w.name) < 0 {
				c.addKey(w.name, "", w.doc)
			}
		}
	}
}

// steps offers what a step can begin with, and the keys that are not there already.
func (c *completer) steps() {
	for _, name := range append([]string{"id"}, engine.Verbs()...) {
		if m := c.mapping(); m == nil || childKey(m, name) < 0 {
			c.addKey(name, "", stepDocs[name])
		}
	}
}

// stepNode is the node of the step around, or nil.
func (c *completer) stepNode() *engine.Node {
	if n := child(c.within(stepSort), "node"); n != nil {
		return c.doc.folder.node(n.Value)
	}
	return nil
}

// params offers the parameters of the node that are not given, the required first.
func (c *completer) params() {
	n := c.stepNode()
	if n == nil {
		return
	}
	for _, required := range []bool{true, false} {
		for _, p := range n.In.Props {
			if p.Optional != required && childKey(c.mapping(), p.Name) < 0 {
				c.addKey(p.Name, describe(p.Type)+", "+presence(p), p.Doc)
			}
		}
	}
}

// schema offers the keys of a type: all of them where it has a type:, else that.
func (c *completer) schema() {
	m := c.mapping()
	if !engine.IsSchema(m) {
		if len(m.Content) <= 2 {
			c.addKey("type", "", schemaDocs["type"])
		}
		return
	}
	word := ""
	if of := child(m, "type"); of != nil {
		word = of.Value
	}
	for _, key := range engine.TypeKeys() {
		of := engine.TypeKeyFor(key)
		fits := of == engine.Any || of.String() == word || of == engine.Number && word == "integer"
		if fits && childKey(m, key) < 0 {
			c.addKey(key, "", schemaDocs[key])
		}
	}
}

var (
	lastReference = regexp.MustCompile(`\$((?:[A-Za-z][A-Za-z0-9_]*\.(?:[A-Za-z0-9_][A-Za-z0-9_-]*\.)*)?[A-Za-z0-9_-]*)$`)
	lastOperand   = regexp.MustCompile(`\$((?:[A-Za-z][A-Za-z0-9_]*\.(?:[A-Za-z0-9_]+\.)*)?[A-Za-z0-9_]*)$`)
)

// values offers what can stand behind a key.
func (c *completer) values() {
	words := func(kind int, all []word) {
		for _, w := range all {
			c.add(kind, w.name, "", w.doc, w.name, len(c.prefix))
		}
	}
	words(valueItem, values[c.sort])
	switch c.sort {
	case nodeSort:
		for _, n := range c.doc.folder.survey.Nodes {
			c.add(functionItem, n.Name, firstLine(n.Doc), nodeDoc(n), n.Name, len(c.prefix))
		}
	case failSort:
		for _, e := range c.doc.folder.survey.Errors {
			c.add(eventItem, e.Code, fmt.Sprint(e.Status), e.Message, e.Code, len(c.prefix))
		}
		c.ownOutcomes()
	case typeSort:
		for _, name := range engine.TypeWords() {
			c.add(keywordItem, name, "", "", name, len(c.prefix))
		}
		types := c.doc.folder.survey.Types
		for _, name := range slices.Sorted(maps.Keys(types)) {
			c.add(classItem, name, describe(types[name]), propsDoc(types[name]), name, len(c.prefix))
		}
	case formatSort:
		for _, name := range engine.Formats() {
			c.add(valueItem, name, engine.FormatIs(name), "", name, len(c.prefix))
		}
	case valueSort, conditionSort:
		c.references()
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// ownOutcomes offers the outcomes that a node flow declares.
func (c *completer) ownOutcomes() {
	outcomes := child(c.up[0].node, "outcomes")
	if outcomes == nil || outcomes.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(outcomes.Content); i += 2 {
		name, about := outcomes.Content[i].Value, child(outcomes.Content[i+1], "about")
		doc := ""
		if about != nil {
			doc = about.Value
		}
		c.add(eventItem, name, "outcome", doc, name, len(c.prefix))
	}
}

// references offers the names that are set here, or the properties of one. Where
// nothing is typed it offers what else fits the parameter as well.
func (c *completer) references() {
	scope := c.scopeHere()
	pattern, expression := lastReference, isExpression(c.spot, c.prefix)
	if expression {
		pattern = lastOperand
	}
	m := pattern.FindStringSubmatchIndex(c.prefix)
	switch {
	case m == nil && c.prefix == "":
		c.literals()
		c.names(scope, "$", 0)
		return
	case m == nil:
		return
	case !expression && m[0] > 0 && c.prefix[m[0]-1] != '{', m[0] > 0 && c.prefix[m[0]-1] == '$':
		return
	}
	names := strings.Split(c.prefix[m[2]:m[3]], ".")
	typed := names[len(names)-1]
	if len(names) == 1 {
		c.names(scope, "", len(typed))
		return
	}
	of, ok := follow(scope, names[:len(names)-1])
	if !ok || of.t == nil {
		return
	}
	for _, p := range scopeForm(scope, of.t, names[:len(names)-1]).Props {
		f, _ := follow(scope, append(slices.Clone(names[:len(names)-1]), p.Name))
		c.add(fieldItem, p.Name, described(p.Type, f.optional), p.Doc, p.Name, len(typed))
	}
}

// names offers what references can begin with; those that steps set come first.
func (c *completer) names(scope engine.Scope, sign string, typed int) {
	for _, ofStep := range []bool{true, false} {
		for _, n := range slices.Backward(scope.Names) {
			if (n.Pos.File != "") == ofStep {
				doc := ""
				if !ofStep {
					doc = rootText[n.Name]
				}
				c.add(variableItem, "$"+n.Name, described(n.Type, n.Optional), doc, sign+n.Name, typed)
			}
		}
	}
}

// literals offers the values that a parameter can have where they are few.
func (c *completer) literals() {
	n := c.stepNode()
	if len(c.up) == 0 || c.up[len(c.up)-1].sort != paramsSort || n == nil {
		return
	}
	p := prop(n.In, c.name)
	switch {
	case p == nil:
	case p.Type.Base == engine.Boolean:
		c.add(valueItem, "true", "", "", "true", 0)
		c.add(valueItem, "false", "", "", "false", 0)
	default:
		for _, e := range p.Type.Enum {
			c.add(valueItem, e, "", "", e, 0)
		}
	}
}

// scopeHere is what is set at the cursor: as the text would have it if it were
// finished, or where it is too far from that, as it was when it was last in order.
func (c *completer) scopeHere() engine.Scope {
	if !c.sketch || c.doc.sheet == nil {
		if sheet, _ := c.doc.folder.survey.Read(c.doc.name, []byte(c.written)); sheet != nil {
			return c.scope(sheet)
		}
	}
	return c.scope(c.doc.sheet)
}
