package flowtext

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
)

// The changes below return a text in which only what they are about differs: other
// lines stay byte for byte, and comments stay with what they stand above. What
// a change means is compared with what came of it; a text that it cannot do is left
// alone, with an error that can be read aloud.

// Set writes a value to a place, which is made where it is not there.
func (t *Tree) Set(place string, v *yaml.Node) (string, error) {
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelSet(m, keys(place), v) }, func() (string, error) { return t.set(place, v) })
}

// Unset takes what stands at a place away, and what would be empty without it.
func (t *Tree) Unset(place string) (string, error) {
	place = t.alone(place)
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelUnset(m, keys(place)) }, func() (string, error) { return t.unset(place) })
}

// Key gives a key another name.
func (t *Tree) Key(place, name string) (string, error) {
	s := t.Find(place)
	switch {
	case s == nil || s.Key == nil:
		return "", fmt.Errorf("naming %s: %w", place, errNowhere)
	case name != s.Key.Value && s.Up.child(name) != nil:
		return "", fmt.Errorf("there is a key %s already", name)
	}
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelKey(m, keys(place), name) }, func() (string, error) {
		from, to := t.Extent(s.Key)
		if flows(s.Up.Value) {
			return t.splice(from, to, scalarText(Word(name))), nil
		}
		return t.splice(from, to, keyText(name)), nil
	})
}

// Insert puts an item into a list in front of the one that is at the place now, or
// behind the last one. A list that is not there is made.
func (t *Tree) Insert(place string, v *yaml.Node) (string, error) {
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelInsert(m, keys(place), v) }, func() (string, error) { return t.insert(place, v, nil) })
}

// Move puts the item at a place to another place, which is one before the move, and
// returns where it is then.
func (t *Tree) Move(from, to string) (text, at string, err error) {
	s := t.Find(from)
	switch {
	case s == nil || s.Key != nil || s.Up == nil:
		return "", "", fmt.Errorf("moving %s: %w", from, errNowhere)
	case to == from || strings.HasPrefix(to+"/", from+"/"):
		return "", "", errors.New("a step cannot be moved into itself")
	}
	text, err = t.Copy(from, to)
	if err != nil {
		return "", "", err
	}
	next, err := Read("", text)
	if err != nil {
		return "", "", err
	}
	gone := next.alone(behind(from, to, 1))
	if text, err = next.Unset(gone); err != nil {
		return "", "", err
	}
	return text, behind(to, gone, -1), nil
}

// Copy puts a copy of the item at a place to another place, with its comments.
func (t *Tree) Copy(from, to string) (string, error) {
	s := t.Find(from)
	if s == nil || s.Key != nil || s.Up == nil {
		return "", fmt.Errorf("copying %s: %w", from, errNowhere)
	}
	var own []string
	if !flows(s.Up.Value) {
		e := t.entry(s)
		for n := e.lead; n <= e.last; n++ {
			own = append(own, t.LineText(n))
		}
		own = shifted(own, -e.column)
	}
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelInsert(m, keys(to), s.Value) }, func() (string, error) { return t.insert(to, s.Value, own) })
}

// Wrap puts the step at a place into a new one, whose first key is head and
// which has the step as the only one of a block.
func (t *Tree) Wrap(place string, head *yaml.Node, block string) (string, error) {
	s := t.Find(place)
	if s == nil || s.Key != nil || s.Up == nil || flows(s.Up.Value) {
		return "", fmt.Errorf("wrapping %s: %w", place, errNowhere)
	}
	around := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if head != nil {
		around.Content = append(around.Content, head.Content...)
	}
	around.Content = append(around.Content, Word(block), list(s.Value))
	return t.sure(func(m *yaml.Node) (*yaml.Node, error) { return modelSet(m, keys(place), around) }, func() (string, error) {
		e := t.entry(s)
		in := strings.Repeat(" ", e.column)
		all := []string{in + "- " + block + ":"}
		if head != nil {
			all = []string{in + "- " + scalarText(head.Content[0]) + ": " + inline(head.Content[1]), in + "  " + block + ":"}
		}
		for n := e.lead; n <= e.last; n++ {
			all = append(all, shifted([]string{t.LineText(n)}, 4)...)
		}
		return t.splice(t.start(e.lead), t.start(e.last+1), strings.Join(all, "\n")+"\n"), nil
	})
}

// behind returns where a place is after something was put to another place, or
// with -1 taken from it.
func behind(place, other string, by int) string {
	list, key := Split(other)
	n, err := strconv.Atoi(key)
	rest, ok := strings.CutPrefix(place, list+"/")
	if err != nil || !ok {
		return place
	}
	first, more, deeper := strings.Cut(rest, "/")
	i, err := strconv.Atoi(first)
	if err != nil || i < n || i == n && by < 0 {
		return place
	}
	place = Join(list, strconv.Itoa(i+by))
	if deeper {
		place += "/" + more
	}
	return place
}

// alone is the outermost place of which only what stands at a place is there.
func (t *Tree) alone(place string) string {
	s := t.Find(place)
	for s != nil && s.Up != nil && s.Up.Up != nil && len(s.Up.Children()) == 1 {
		s = s.Up
	}
	if s == nil {
		return place
	}
	return s.Place
}

// sure makes a text and compares what it means with what it should.
func (t *Tree) sure(mean func(*yaml.Node) (*yaml.Node, error), change func() (string, error)) (string, error) {
	want, err := mean(clone(t.Root))
	if err != nil {
		return "", err
	}
	text, err := change()
	if err != nil {
		return "", err
	}
	got, err := Read("", text)
	if err != nil || !Same(got.Root, want) {
		return "", errors.New("the text is written in a way that cannot be changed here; change it in the editor")
	}
	return text, nil
}

func (t *Tree) set(place string, v *yaml.Node) (string, error) {
	if s := t.Find(place); s != nil {
		if s.Up == nil {
			_, all := lines(v, "", 0)
			return strings.Join(all, "\n") + "\n", nil
		}
		return t.replace(s, v)
	}
	around, key := Split(place)
	up := t.Find(around)
	switch {
	case up == nil || isNull(up.Value):
		inner := Map(key, v)
		if key == "0" && IsBlock(around) {
			inner = list(v)
		}
		if up != nil && up.Up == nil {
			h, below := lines(v, key, 2)
			return t.put(t.Lines(), append([]string{strings.TrimRight(keyText(key)+": "+h, " ")}, below...)), nil
		}
		return t.set(around, inner)
	case up.Value.Kind == yaml.MappingNode:
		return t.add(up, key, v)
	case up.Value.Kind == yaml.SequenceNode:
		return t.insert(place, v, nil)
	case IsBlock(around):
		return t.set(around, list(v))
	}
	return "", fmt.Errorf("%s is no mapping that could have a key %s", around, key)
}

// replace writes a value in place of another.
func (t *Tree) replace(s *Spot, v *yaml.Node) (string, error) {
	from, to := t.From(s.Value), t.Behind(s.Value)
	if flows(s.Up.Value) {
		if roomy(v, s.Place) && s.Up.Up != nil && !flows(s.Up.Up.Value) {
			return t.unfolded(s.Up, s.Place, v)
		}
		return t.splice(from, to, inline(v)), nil
	}
	e := t.entry(s)
	in := e.column + 2
	head, below := lines(v, s.Place, in)
	if t.LineOf(from) == e.first { // what follows on its last line, a comment, stays
		end := t.start(e.last + 1)
		rest := ""
		if s.Value.Kind == yaml.ScalarNode && s.Value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 || flows(s.Value) {
			_, end = t.Line(t.LineOf(to))
			rest = t.S[to:end]
			end = min(end+1, len(t.S))
		}
		if head != "" {
			head = " " + head
			if from > e.sign && strings.TrimSpace(t.S[e.sign:from]) == "" {
				head = t.S[e.sign:from] + head[1:]
			}
		}
		return t.splice(e.sign, end, strings.Join(append([]string{head + rest}, below...), "\n")+"\n"), nil
	}
	_, eol := t.Line(e.first)
	rest := t.S[e.sign:eol] // a comment behind the sign
	if head != "" {
		head = " " + head
	}
	return t.splice(e.sign, t.start(e.last+1), strings.Join(append([]string{head + rest}, below...), "\n")+"\n"), nil
}

// order is that of the keys of a mapping at a place; nil for none.
func order(s *Spot) []string {
	has := func(key string) bool { return s.child(key) != nil }
	switch {
	case s.Up == nil && has("node"):
		return engine.NodeFlowKeys()
	case s.Up == nil:
		return engine.HeaderKeys()
	case s.Place == "input":
		return []string{"path", "query", "headers", "body"}
	case IsStep(s.Place):
		for _, verb := range engine.Verbs() {
			if has(verb) {
				return append([]string{"id"}, slices.DeleteFunc(engine.StepKeys(verb), func(k string) bool { return k == "id" })...)
			}
		}
	}
	return nil
}

// add writes a key that a mapping does not have yet.
func (t *Tree) add(up *Spot, key string, v *yaml.Node) (string, error) {
	all := up.Children()
	known := order(up)
	var above *Spot // that it comes behind
	for _, c := range all {
		if i := slices.Index(known, c.Name()); i < 0 || i < slices.Index(known, key) || !slices.Contains(known, key) {
			above = c
		}
	}
	if flows(up.Value) {
		head, below := lines(v, Join(up.Place, key), 0)
		if below == nil || v.Kind == yaml.ScalarNode {
			return t.addInline(up, above, scalarText(Word(key))+": "+cmp.Or(head, inline(v)))
		}
		if up.Up != nil && !flows(up.Up.Value) && len(all) > 0 {
			return t.unfolded(up, Join(up.Place, key), v)
		}
		if up.Up != nil && !flows(up.Up.Value) {
			return t.replace(up, Map(key, v))
		}
		return t.addInline(up, above, scalarText(Word(key))+": "+inline(v))
	}
	column := up.Value.Column - 1
	in := strings.Repeat(" ", column)
	head, below := lines(v, Join(up.Place, key), column+2)
	made := append([]string{strings.TrimRight(in+keyText(key)+": "+head, " ")}, below...)
	if above == nil {
		first := t.entry(all[0])
		if first.shares {
			return t.splice(t.From(all[0].Key), t.From(all[0].Key), strings.TrimLeft(strings.Join(made, "\n"), " ")+"\n"+in), nil
		}
		return t.put(first.lead, made), nil
	}
	last := t.entry(above).last
	if up.Up == nil && len(below) > 0 && t.apart(all) {
		if !t.isBlank(last) {
			made = append([]string{""}, made...)
		}
		if last+1 < t.Lines() && t.S[t.start(last+1):] != "" && !t.isBlank(last+1) {
			made = append(made, "")
		}
	}
	return t.put(last+1, made), nil
}

// apart tells whether the entries of a mapping stand in groups, with blank lines
// between them.
func (t *Tree) apart(all []*Spot) bool {
	return slices.ContainsFunc(all[1:], func(c *Spot) bool { return t.isBlank(t.entry(c).lead - 1) })
}

// addInline writes an entry of a collection in brackets, behind another one or
// in front of all.
func (t *Tree) addInline(up, above *Spot, text string) (string, error) {
	all := up.Children()
	switch {
	case len(all) == 0:
		return t.splice(t.From(up.Value), t.Behind(up.Value), string(t.S[t.From(up.Value)])+text+string(t.S[t.Behind(up.Value)-1])), nil
	case above == nil:
		from := t.From(all[0].Value)
		if all[0].Key != nil {
			from = t.From(all[0].Key)
		}
		return t.splice(from, from, text+", "), nil
	}
	at := t.Behind(above.Value)
	return t.splice(at, at, ", "+text), nil
}

// unfolded sets a value in a mapping in brackets, which it writes in block style first.
func (t *Tree) unfolded(up *Spot, place string, v *yaml.Node) (string, error) {
	text, err := t.unfold(up)
	if err != nil {
		return "", err
	}
	next, err := Read("", text)
	if err != nil {
		return "", err
	}
	return next.set(place, v)
}

// unfold writes a mapping in brackets in block style, which means the same.
func (t *Tree) unfold(s *Spot) (string, error) {
	from, to := t.From(s.Value), t.Behind(s.Value)
	if t.LineOf(from) != t.LineOf(to) || s.Value.Kind != yaml.MappingNode {
		return "", errors.New("what stands in brackets on several lines cannot be changed here; change it in the editor")
	}
	e := t.entry(s)
	in := strings.Repeat(" ", e.column+2)
	var all []string
	for _, c := range s.Children() {
		all = append(all, in+t.S[t.From(c.Key):t.Behind(c.Value)])
	}
	_, eol := t.Line(t.LineOf(to))
	rest := strings.TrimRight(t.S[to:eol], " ")
	if s.Key == nil {
		return t.splice(e.sign, eol, " "+strings.TrimLeft(strings.Join(all, "\n"), " ")+rest), nil
	}
	return t.splice(e.sign, eol, rest+"\n"+strings.Join(all, "\n")), nil
}

func (t *Tree) unset(place string) (string, error) {
	s := t.Find(place)
	if s == nil || s.Up == nil {
		return "", fmt.Errorf("removing %s: %w", place, errNowhere)
	}
	if flows(s.Up.Value) {
		return t.unsetInline(s), nil
	}
	e := t.entry(s)
	all := s.Up.Children()
	if e.shares && s.Index+1 < len(all) { // the next key comes up behind the dash
		next := t.From(all[s.Index+1].Key)
		from := t.From(s.Key)
		if strings.Contains(t.S[t.start(e.last+1):next], "#") {
			_, eol := t.Line(e.last)
			return t.splice(from, eol, ""), nil
		}
		return t.splice(from, next, ""), nil
	}
	if s.Index == 0 && len(all) > 1 && t.isBlank(e.last+1) {
		e.last++ // a block does not begin with a blank line
	}
	return t.cut(e.lead, e.last), nil
}

// unsetInline takes an entry out of a collection in brackets.
func (t *Tree) unsetInline(s *Spot) string {
	all := s.Up.Children()
	begin := func(c *Spot) int {
		if c.Key != nil {
			return t.From(c.Key)
		}
		return t.From(c.Value)
	}
	from, to := begin(s), t.Behind(s.Value)
	switch {
	case s.Index+1 < len(all):
		to = begin(all[s.Index+1])
	case s.Index > 0:
		before := t.Behind(all[s.Index-1].Value)
		comma := before + strings.IndexByte(t.S[before:], ',')
		text := t.S[comma+1 : from]
		if strings.TrimSpace(text) == "" {
			return t.splice(comma, to, "")
		}
		return t.S[:comma] + strings.TrimRight(text, " \n") + "\n" + strings.TrimLeft(t.S[to:], " \n")
	}
	return t.splice(from, to, "")
}

// insert puts an item into a list; own are its lines as they were, or nil.
func (t *Tree) insert(place string, v *yaml.Node, own []string) (string, error) {
	around, key := Split(place)
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 {
		return "", fmt.Errorf("%s is no place in a list", place)
	}
	up := t.Find(around)
	if up == nil || isNull(up.Value) || up.Value.Kind == yaml.ScalarNode && IsBlock(around) {
		return t.first(around, v, own)
	}
	all := up.Children()
	switch {
	case up.Value.Kind != yaml.SequenceNode:
		return "", fmt.Errorf("%s is no list", around)
	case len(all) == 0 && up.Up != nil && !flows(up.Up.Value):
		return t.replace(up, list(v))
	case flows(up.Value):
		var above *Spot
		if i > 0 {
			above = all[min(i, len(all))-1]
		}
		return t.addInline(up, above, inline(v))
	}
	made := own
	column := up.Value.Column - 1
	if made == nil {
		made = item(v, Join(around, "0"), 0)
	}
	made = shifted(made, column)
	apart := t.apart(all)
	if i < len(all) {
		if apart {
			made = append(slices.Clip(made), "")
		}
		return t.put(t.entry(all[i]).lead, made), nil
	}
	if apart {
		made = append([]string{""}, made...)
	}
	return t.put(t.entry(all[len(all)-1]).last+1, made), nil
}

// first makes a list of one item, whose lines are own where that is not nil.
func (t *Tree) first(around string, v *yaml.Node, own []string) (string, error) {
	text, err := t.set(around, list(v))
	if err != nil || own == nil {
		return text, err
	}
	next, err := Read("", text)
	if err != nil {
		return "", err
	}
	s := next.Find(Join(around, "0"))
	if s == nil || flows(s.Up.Value) {
		return text, nil
	}
	e := next.entry(s)
	return next.splice(next.start(e.lead), next.start(e.last+1), strings.Join(shifted(own, e.column), "\n")+"\n"), nil
}
