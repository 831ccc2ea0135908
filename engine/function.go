package engine

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
)

// A Function can be called in expressions.
type Function struct {
	Name  string
	Usage string // a call as it is written
	Doc   string
	run   any // nil for a function of the expression library
}

// Functions returns all functions of expressions, in the order of the manual.
// None of them has an effect, reads a clock or makes a random value: time is
// $request.time, ids come from nodes.
func Functions() []Function {
	return []Function{
		{"len", `len($body.items)`, "Length of a text, a list or an object.", nil},
		{"upper", `upper($body.code)`, "Text in capitals.", nil},
		{"lower", `lower($body.code)`, "Text in small letters.", nil},
		{"trim", `trim($body.name)`, "Text without the space around it.", nil},
		{"trimPrefix", `trimPrefix($body.id, "u_")`, "Text without what it begins with.", nil},
		{"trimSuffix", `trimSuffix($body.file, ".txt")`, "Text without what it ends in.", nil},
		{"hasPrefix", `hasPrefix($body.id, "u_")`, "Whether a text begins with another.", nil},
		{"hasSuffix", `hasSuffix($body.file, ".txt")`, "Whether a text ends in another.", nil},
		{"indexOf", `indexOf($body.email, "@")`, "Where a text begins in another, -1 for nowhere.", nil},
		{"lastIndexOf", `lastIndexOf($body.path, "/")`, "Where a text begins in another for the last time.", nil},
		{"replace", `replace($body.text, "a", "b")`, "Text with each occurrence of one text replaced by another.", nil},
		{"split", `split($query.tags, ",")`, "List of the parts between a separator.", nil},
		{"join", `join($body.tags, ", ")`, "Text of a list's items with a separator between.", nil},
		{"abs", `abs($body.n)`, "Number without its sign.", nil},
		{"ceil", `ceil($body.n)`, "Nearest whole number above.", nil},
		{"floor", `floor($body.n)`, "Nearest whole number below.", nil},
		{"round", `round($body.n)`, "Nearest whole number.", nil},
		{"int", `int($body.price * 100)`, "Number, or text of one, as an integer.", nil},
		{"float", `float($body.n)`, "Number, or text of one, as a number.", nil},
		{"string", `string($body.n)`, "Value as a text.", nil},
		{"min", `min($body.a, 10)`, "Least of some numbers or of a list.", nil},
		{"max", `max($body.a, 10)`, "Greatest of some numbers or of a list.", nil},
		{"sum", `sum($body.items, .price)`, "Sum of a list.", nil},
		{"mean", `mean($body.numbers)`, "Average of a list.", nil},
		{"median", `median($body.numbers)`, "Median of a list.", nil},
		{"all", `all($body.items, .qty > 0)`, "Whether every item fits.", nil},
		{"any", `any($body.items, .qty > 9)`, "Whether some item fits.", nil},
		{"one", `one($body.items, .main)`, "Whether exactly one item fits.", nil},
		{"none", `none($body.items, .qty == 0)`, "Whether no item fits.", nil},
		{"count", `count($body.items, .qty > 1)`, "How many items fit.", nil},
		{"filter", `filter($body.items, .qty > 1)`, "Items that fit.", nil},
		{"map", `map($body.items, .sku)`, "What each item gives.", nil},
		{"find", `find($body.items, .main)`, "First item that fits.", nil},
		{"findIndex", `findIndex($body.items, .main)`, "Place of the first item that fits.", nil},
		{"first", `first($body.tags)`, "First item.", nil},
		{"last", `last($body.tags)`, "Last item.", nil},
		{"take", `take($body.tags, 3)`, "First items.", nil},
		{"reverse", `reverse($body.tags)`, "Items from last to first.", nil},
		{"sort", `sort($body.tags)`, "Items in order.", nil},
		{"sortBy", `sortBy($body.items, .price)`, "Items in the order of what each gives.", nil},
		{"uniq", `uniq($body.tags)`, "Items without repetitions.", nil},
		{"concat", `concat($body.a, $body.b)`, "Items of one list behind those of another.", nil},
		{"flatten", `flatten($body.lists)`, "Items of lists in a list.", nil},
		{"keys", `keys($body.data)`, "Names of an object's properties.", nil},
		{"values", `values($body.data)`, "Values of an object's properties.", nil},
		{"get", `asText(get($body.data, "name"))`, "Property of an object of any form, null where it has none.", nil},
		{"fromPairs", `fromPairs(map($body.list, [.name, .value]))`, "Object of pairs of a name and a value.", fromPairs},
		{"merge", `merge($profile.fields, {name: $body.name})`, "Object with the properties of both; where both have one, that of the second.", merge},
		{"omit", `omit($body.data, ["password"])`, "Object without some properties.", omit},
		{"asText", `asText($body.data)`, "Text that data is, or an empty one.", asText},
		{"asObject", `asObject($body.data)`, "Object that data is, or an empty one.", asObject},
		{"date", `date("2026-01-31")`, "Text as a time.", nil},
		{"duration", `$request.time + duration("24h")`, "Text as a duration.", nil},
		{"formatTime", `formatTime($user.creationDtm, "2006-01-02")`, "Time as a text, after a pattern of Go's package time.", formatTime},
		{"unix", `unix($request.time)`, "Seconds since 1970.", unix},
		{"toBase64", `toBase64($body.text)`, "Text in base64.", nil},
		{"fromBase64", `fromBase64($body.text)`, "Text that was in base64.", nil},
		{"urlEncode", `urlEncode($body.q)`, "Text as a part of a URL.", urlEncode},
		{"base64url", `base64url($body.text)`, "Text in base64 as URLs have it.", base64url},
		{"sha256", `sha256($body.text)`, "SHA-256 of a text, in hex. Not for passwords.", sha256Hex},
		{"slug", `slug($body.title)`, "Text as a part of a path: small letters and digits of any language, and -.", slug},
	}
}

func formatTime(t time.Time, layout string) string { return t.UTC().Format(layout) }
func unix(t time.Time) int                         { return int(t.Unix()) }
func urlEncode(s string) string                    { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
func base64url(s string) string                    { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func sha256Hex(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

func slug(s string) string {
	words := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, "-")
}

func merge(a, b map[string]any) map[string]any {
	all := make(map[string]any, len(a)+len(b))
	maps.Copy(all, a)
	maps.Copy(all, b)
	return all
}

// omit takes a list of texts, or of anything.
func omit(from map[string]any, names any) map[string]any {
	left := maps.Clone(from)
	if texts, ok := names.([]string); ok {
		for _, name := range texts {
			delete(left, name)
		}
		return left
	}
	list, _ := names.([]any)
	for _, name := range list {
		delete(left, asText(name))
	}
	return left
}

func fromPairs(pairs []any) map[string]any {
	all := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		if p, ok := pair.([]any); ok && len(p) == 2 {
			all[asText(p[0])] = p[1]
		}
	}
	return all
}

func asText(data any) string {
	text, _ := data.(string)
	return text
}

func asObject(data any) map[string]any {
	if object, ok := data.(map[string]any); ok {
		return object
	}
	return map[string]any{}
}

// exprConfig allows the functions of the manual and no others.
func exprConfig() *conf.Config {
	c := conf.CreateNew()
	c.MaxNodes = maxExprNodes
	clear(c.Builtins)
	for name, f := range functionTable() {
		if f != nil {
			c.Functions[name] = f
		}
	}
	for _, b := range builtin.Builtins {
		if f, ok := functionTable()[b.Name]; ok && f == nil {
			c.Builtins[b.Name] = b
		} else {
			c.Disabled[b.Name] = true
		}
	}
	return c
}

// functionTable holds the functions by name; nil stands for one of the
// expression library.
var functionTable = sync.OnceValue(func() map[string]*builtin.Function {
	table := map[string]*builtin.Function{}
	for _, f := range Functions() {
		table[f.Name] = nil
		if f.run != nil {
			table[f.Name] = wrapFunction(f)
		}
	}
	return table
})

// wrapFunction makes a Go function one of the expression library.
func wrapFunction(f Function) *builtin.Function {
	fn := reflect.ValueOf(f.run)
	return &builtin.Function{
		Name: f.Name, Types: []reflect.Type{fn.Type()},
		Func: func(args ...any) (any, error) {
			in := make([]reflect.Value, len(args))
			for i, a := range args {
				want := fn.Type().In(i)
				in[i] = reflect.ValueOf(a)
				switch {
				case want == anyType && !in[i].IsValid():
					in[i] = reflect.Zero(anyType)
				case want != anyType && (!in[i].IsValid() || in[i].Type() != want):
					return nil, fmt.Errorf("%s got a %T", f.Name, a)
				}
			}
			return fn.Call(in)[0].Interface(), nil
		},
	}
}
