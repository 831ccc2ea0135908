package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/engine"
)

// names are those of a scope, as references, with a ? where they may be absent.
func names(s engine.Scope) string {
	var all []string
	for _, n := range s.Names {
		text := "$" + n.Name
		if n.Optional {
			text += "?"
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// TestAnalyze keeps the promise that tools know at each step what is set there, in flows
// with mistakes as well, and that they are told what Load tells.
func TestAnalyze(t *testing.T) {
	const flow = `about: x
endpoint: POST /x/{id}
session: none
input:
  body: {"note?": string, list: {type: array, maxItems: 3, items: string}}
steps:
  - let: {first: $body.note}
  - if: $first
    then:
      - let: {inner: "= 1"}
      - respond: 200
  - each: $body.list
    as: one
    do:
      - let: {deep: $one}
  - let: {wrong: $nowhere}
  - respond: 204
`
	files := fstest.MapFS{
		"a.yaml":        {Data: []byte(flow)},
		"greet.yaml":    {Data: []byte("about: Greets.\nnode: test.greet\nsteps:\n  - return: {text: hello}\n")},
		"errors.yaml":   {Data: []byte("gone: {status: 404, message: Gone.}\n")},
		"types.yaml":    {Data: []byte("Money: {amount: integer}\n")},
		"broken.yaml":   {Data: []byte("about: {\n")},
		"_ignored.yaml": {Data: []byte("about: {\n")},
	}
	env := testEnv()
	env.Vars = nil
	s, err := engine.Analyze(files, env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Load(files, env); err == nil || err.Error() != s.Problems.Error() {
		t.Errorf("Analyze told\n%v\nand Load\n%v", s.Problems, err)
	}
	if !slices.ContainsFunc(s.Nodes, func(n *engine.Node) bool { return n.Name == "test.greet" }) || s.Files["test.greet"] != "greet.yaml" {
		t.Errorf("Analyze found %v, want test.greet in greet.yaml among them", s.Files)
	}
	if len(s.Errors) != 1 || s.Errors[0].Code != "gone" || s.Types["Money"] == nil || s.Flows != 2 {
		t.Errorf("Analyze found errors %v, types %v, %d flows, want gone, Money among them, 2", s.Errors, s.Types, s.Flows)
	}
	sheet, problems := s.Read("a.yaml", []byte(flow))
	if len(problems) != 1 || len(sheet.Steps) != 5 {
		t.Errorf("Read = %d steps, %v, want 5 and one problem", len(sheet.Steps), problems)
	}
	at := func(line, column int) engine.Pos { return engine.Pos{Line: line, Column: column} }
	tests := map[string]struct {
		got  engine.Scope
		want string
	}{
		"in front of all":       {sheet.Start(), "$body $path $request"},
		"at the first step":     {sheet.Scope(at(7, 3), at(7, 5)), "$body $path $request"},
		"behind a let":          {sheet.Scope(at(7, 3), at(8, 5)), "$body $first? $path $request"},
		"inside then":           {sheet.Scope(at(10, 7), at(10, 9)), "$body $first $path $request"},
		"at its end":            {sheet.End(at(10, 7)), "$body $first $inner $path $request"},
		"behind the if":         {sheet.Scope(at(7, 3), at(12, 5)), "$body $first? $path $request"},
		"inside each":           {sheet.Scope(at(15, 7), at(15, 9)), "$body $first? $one $path $request"},
		"at the end of each":    {sheet.End(at(15, 7)), "$body $deep $first? $one $path $request"},
		"behind a mistake":      {sheet.Scope(at(7, 3), at(17, 5)), "$body $first? $path $request $wrong"},
		"behind all":            {sheet.End(at(7, 3)), "$body $first? $path $request $wrong"},
		"in a block not listed": {sheet.Scope(at(11, 7), at(11, 9)), "$body $first $inner $path $request"},
	}
	for name, tt := range tests {
		if got := names(tt.got); got != tt.want {
			t.Errorf("%s: names = %s, want %s", name, got, tt.want)
		}
	}
	if n, ok := sheet.End(at(7, 3)).Name("first"); !ok || n.Pos.Line != 7 || n.Type.Base != engine.String {
		t.Errorf("first = %+v, want a string of line 7", n)
	}
	if broken, problems := s.Read("broken.yaml", files["broken.yaml"].Data); broken != nil || len(problems) != 1 {
		t.Errorf("Read of no YAML = %v, %v, want nil and one problem", broken, problems)
	}
}
