package lsp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const shop = head + `steps:
  - id: user
    node: user.fetch
    with: {email: $body.email}
    on: {notFound: continue}
  # The comment about $user stays as it is.
  - if: $user and $user.disabled == false and "$user" != 'x $user'
    then:
      - fail: gone
  - let:
      total: '= len($body.items) + 1'
  - id: all
    each: $body.items
    as: thing
    do:
      - id: greeted
        node: account.greet
        with: {userId: $thing.name}
    collect: "$greeted"
  - respond: 200
    body:
      text: "😀 {$total}, {$$user} and {$body.note}"
      user: $user.id
      price: $$user
      more: "= $total-1 > 2 ? \"$user\" : string($user?.id)"
`

// marked puts the cursor behind the nth part of a text, from 1.
func marked(text, part string, nth int) string {
	at := 0
	for range nth {
		at += strings.Index(text[at:], part) + len(part)
	}
	return text[:at] + cursor + text[at:]
}

// TestHover keeps the promise that what stands under the pointer is explained.
func TestHover(t *testing.T) {
	tests := map[string]struct {
		part string
		nth  int
		want []string
	}{
		"a node":                {"node: user.f", 1, []string{"**user.fetch**", "**Parameters**", "- `email`: string, optional. E-mail address of the user.", "**Outcomes**", "- `notFound` (notFound)"}},
		"a node flow":           {"node: account.g", 1, []string{"Greets a user.", "- `userId`: string, required", "There is nobody to greet."}},
		"a key of the top":      {"sess", 1, []string{"Whether callers need a session"}},
		"a value of the top":    {"session: requ", 1, []string{"A caller without a live session is refused"}},
		"a key of a step":       {"wit", 1, []string{"Parameters of the node."}},
		"a parameter":           {"with: {ema", 1, []string{"`email`: string", "E-mail address of the user."}},
		"an outcome":            {"on: {not", 1, []string{"`notFound` (notFound)"}},
		"continue":              {"cont", 1, []string{"Goes on with the step below"}},
		"a reference":           {"email: $bo", 1, []string{"`$body`: object", "- `note`: string, may be absent"}},
		"its property":          {"email: $body.em", 1, []string{"`$body.email`: string (email)", "Address of the user."}},
		"one that may be gone":  {"if: $us", 1, []string{"`$user`: User, may be absent"}},
		"one in an expression":  {"len($body.it", 1, []string{"`$body.items`: list of"}},
		"one in a text":         {"{$tot", 1, []string{"`$total`: integer"}},
		"an item":               {"$thing.na", 1, []string{"`$thing.name`: string"}},
		"a collected one":       {"\"$gree", 1, []string{"`$greeted`", "- `text`: string"}},
		"an id":                 {"id: us", 1, []string{"`$user`: User", "- `email`"}},
		"a type word's format":  {"format: em", 1, []string{"`email`: an e-mail address"}},
		"a key of a schema":     {"maxIt", 1, []string{"Largest number of items."}},
		"an error":              {"fail: go", 1, []string{"`gone`: status 404", "It is gone."}},
		"nothing in a comment":  {"comment about $us", 1, nil},
		"nothing in a text":     {"\"$us", 1, nil},
		"nothing behind {$$":    {"{$$us", 1, nil},
		"nothing in a plain id": {"price: $$us", 1, nil},
	}
	e := start(t, project(t, neighbours))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := string(e.request("textDocument/hover", e.at("shop.yaml", marked(shop, tt.part, tt.nth))))
			if tt.want == nil {
				if got != "null" {
					t.Errorf("hover(%q) = %s, want nothing", tt.part, got)
				}
				return
			}
			value := ""
			if got != "null" {
				value = decode[struct{ Contents struct{ Value string } }](t, json.RawMessage(got)).Contents.Value
			}
			for _, w := range tt.want {
				if !strings.Contains(value, w) {
					t.Errorf("hover(%q) = %q, want %q in it", tt.part, value, w)
				}
			}
		})
	}
}

// TestDefinition keeps the promise that a name leads to where it comes from.
func TestDefinition(t *testing.T) {
	tests := map[string]struct {
		part, file string
		want       string // the line it leads to, "" for none
	}{
		"a step's id":       {"user: $us", "shop.yaml", "  - id: user"},
		"an input property": {"email: $body.em", "shop.yaml", "    email: {type: string, format: email, description: Address of the user.}"},
		"an optional one":   {"and {$body.no", "shop.yaml", "    note?: string"},
		"the input itself":  {"email: $bo", "shop.yaml", "  body:"},
		"a let":             {"{$tot", "shop.yaml", "      total: '= len($body.items) + 1'"},
		"an item":           {"$thi", "shop.yaml", "    as: thing"},
		"a collected id":    {"\"$gree", "shop.yaml", "      - id: greeted"},
		"a node flow":       {"node: account.g", "lib/greet.yaml", "node: account.greet"},
		"its parameter":     {"{user", "lib/greet.yaml", "  userId: string"},
		"a node in Go":      {"node: user.f", "", ""},
		"an error":          {"fail: go", "errors.yaml", "gone:"},
		"no reference":      {"price: $$us", "", ""},
	}
	e := start(t, project(t, neighbours))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			got := e.request("textDocument/definition", e.at("shop.yaml", marked(shop, tt.part, 1)))
			if tt.want == "" {
				if string(got) != "null" {
					t.Errorf("definition(%q) = %s, want none", tt.part, got)
				}
				return
			}
			at := decode[struct {
				URI   string
				Range struct{ Start struct{ Line int } }
			}](t, got)
			text := neighbours[tt.file]
			if tt.file == "shop.yaml" {
				text = shop
			}
			line := ""
			if lines := strings.Split(text, "\n"); at.Range.Start.Line < len(lines) {
				line = lines[at.Range.Start.Line]
			}
			if at.URI != e.uri(tt.file) || line != tt.want {
				t.Errorf("definition(%q) = %s, line %q, want %s, line %q", tt.part, at.URI, line, tt.file, tt.want)
			}
		})
	}
}

// renamed applies the edits of a rename to a text.
func renamed(t *testing.T, text string, data json.RawMessage) string {
	t.Helper()
	type edit struct {
		Range struct {
			Start, End struct{ Line, Character int }
		}
		NewText string
	}
	lines := strings.Split(text, "\n")
	for _, edits := range decode[struct{ Changes map[string][]edit }](t, data).Changes {
		slices.SortFunc(edits, func(a, b edit) int {
			return (b.Range.Start.Line-a.Range.Start.Line)*1000 + b.Range.Start.Character - a.Range.Start.Character
		})
		for _, ed := range edits {
			line := utf16Of(lines[ed.Range.Start.Line])
			line = slices.Concat(line[:ed.Range.Start.Character], utf16Of(ed.NewText), line[ed.Range.End.Character:])
			lines[ed.Range.Start.Line] = textOf(line)
		}
	}
	return strings.Join(lines, "\n")
}

// TestRename keeps the promise that an id is renamed in every reference and nowhere
// else: not in comments, in texts of expressions, or where a dollar sign is escaped.
func TestRename(t *testing.T) {
	e := start(t, project(t, neighbours))
	want := strings.NewReplacer(
		"id: user\n", "id: owner\n", "if: $user and $user.disabled", "if: $owner and $owner.disabled",
		"user: $user.id", "user: $owner.id", "string($user?.id)", "string($owner?.id)",
	).Replace(shop)
	for _, part := range []string{"id: us", "if: $us", "user: $user", "string($u"} {
		p := e.at("shop.yaml", marked(shop, part, 1))
		p["newName"] = "owner"
		if got := renamed(t, shop, e.request("textDocument/rename", p)); got != want {
			t.Errorf("rename at %q gives\n%s\nwant\n%s", part, got, want)
		}
	}
	p := e.at("shop.yaml", marked(shop, "{$tot", 1))
	p["newName"] = "sum"
	if got, want := renamed(t, shop, e.request("textDocument/rename", p)), strings.ReplaceAll(shop, "total", "sum"); got != want {
		t.Errorf("rename of a let gives\n%s\nwant\n%s", got, want)
	}
	p["newName"] = "thing"
	p["position"] = e.at("shop.yaml", marked(shop, "as: th", 1))["position"]
	p["newName"] = "article"
	if got, want := renamed(t, shop, e.request("textDocument/rename", p)), strings.ReplaceAll(shop, "thing", "article"); got != want {
		t.Errorf("rename of an item gives\n%s\nwant\n%s", got, want)
	}
}

// TestRenameRefused keeps the promise that a rename that would break the flow says why
// it is not done.
func TestRenameRefused(t *testing.T) {
	tests := map[string]struct{ part, to, want string }{
		"a taken name":       {"id: us", "total", "there is a $total already"},
		"a root":             {"id: us", "body", "there is a $body already"},
		"no id":              {"id: us", "a b", `"a b" cannot be an id (a letter, then letters, digits and _)`},
		"an input property":  {"email: $body.em", "mail", "only ids of steps, and names that let and each give, can be renamed"},
		"a property of user": {"user: $user.i", "x", "only ids of steps, and names that let and each give, can be renamed"},
	}
	e := start(t, project(t, neighbours))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			e.t = t
			p := e.at("shop.yaml", marked(shop, tt.part, 1))
			p["newName"] = tt.to
			if got := e.ask("textDocument/rename", p); got.Error == nil || got.Error.Message != tt.want {
				t.Errorf("rename(%q, %q) = %+v, want the error %q", tt.part, tt.to, got, tt.want)
			}
		})
	}
}

type symbol struct {
	Name, Detail string
	Range        struct{ Start, End struct{ Line int } }
	Children     []symbol
}

func outline(b *strings.Builder, symbols []symbol, in string) {
	for _, s := range symbols {
		fmt.Fprintf(b, "%s%s [%s] %d-%d\n", in, s.Name, s.Detail, s.Range.Start.Line, s.Range.End.Line)
		outline(b, s.Children, in+"  ")
	}
}

// TestSymbols keeps the promise that the steps of a flow are its outline.
func TestSymbols(t *testing.T) {
	e := start(t, project(t, neighbours))
	var b strings.Builder
	outline(&b, decode[[]symbol](t, e.request("textDocument/documentSymbol", e.at("shop.yaml", shop+cursor))), "")
	want := `user [user.fetch] 9-12
if [$user and $user.disabled == false and "$user" != 'x $user'] 14-16
  then [] 15-16
    fail [gone] 16-16
let [total] 17-18
all [each $body.items] 19-26
  do [] 22-25
    greeted [account.greet] 23-25
respond [200] 27-32
`
	if b.String() != want {
		t.Errorf("symbols are\n%s\nwant\n%s", b.String(), want)
	}
}
