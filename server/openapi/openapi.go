// Package openapi describes endpoints in OpenAPI 3.1, for those who call them and
// for what generates clients. The document is made from the compiled flows: what
// they take is as they declare it, what they answer is as the compiler found it,
// and their failures are those that are left when every on: and catch has taken its
// own.
//
// The same flows give the same bytes, so a document can be committed beside them.
package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sluice/engine"
)

// Info is what a document says of itself.
type Info struct {
	Title   string `json:"title"`
	Version string `json:"version"` // of the endpoints, not of OpenAPI
}

// An object is a part of the document. Maps are written with their keys in order.
type object map[string]any

type document struct {
	OpenAPI    string                          `json:"openapi"`
	Info       Info                            `json:"info"`
	Tags       []object                        `json:"tags,omitempty"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components object                          `json:"components"`
}

// Document describes the endpoints of flows, which it does not change.
func Document(info Info, flows []*engine.Flow) ([]byte, error) {
	flows = slices.SortedFunc(slices.Values(flows), func(a, b *engine.Flow) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	doc := document{OpenAPI: "3.1.0", Info: info, Paths: map[string]map[string]operation{}}
	types := newComponents()
	ids := operationIDs(flows)
	shared := map[string]string{}
	var tags []string
	for i, f := range flows {
		path := shared[shape(f.Path)]
		if path == "" {
			path = strings.ReplaceAll(f.Path, "...}", "}") // OpenAPI has no name for all the rest
			shared[shape(f.Path)] = path
			doc.Paths[path] = map[string]operation{}
		}
		op := types.operation(f, path)
		op.ID = ids[i]
		tags = append(tags, op.Tags...)
		doc.Paths[path][strings.ToLower(f.Method)] = op
	}
	slices.Sort(tags)
	for _, t := range slices.Compact(tags) {
		doc.Tags = append(doc.Tags, object{"name": t})
	}
	doc.Components = object{
		"schemas":         types.schemas,
		"securitySchemes": securitySchemes(),
		"responses":       object{refused: refusals()},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, fmt.Errorf("writing the document: %w", err)
	}
	return b.Bytes(), nil
}

var placeholder = regexp.MustCompile(`\{[^}.]*(\.\.\.)?\}`)

// shape is a path without the names in it. OpenAPI has one path of a shape, so
// flows that name its parts differently share the names of the first of them.
func shape(path string) string { return placeholder.ReplaceAllString(path, "{$1}") }

var word = regexp.MustCompile(`[A-Za-z0-9]+`)

// operationIDs names each flow by its file: auth/sign-in.yaml is authSignIn.
// Where files have one name, those behind the first are counted.
func operationIDs(flows []*engine.Flow) []string {
	ids := make([]string, len(flows))
	for i, f := range flows {
		var b strings.Builder
		for _, w := range word.FindAllString(strings.TrimSuffix(f.File, ".yaml"), -1) {
			if b.Len() > 0 {
				w = strings.ToUpper(w[:1]) + w[1:]
			}
			b.WriteString(w)
		}
		ids[i] = b.String()
		for n := 2; slices.Contains(ids[:i], ids[i]); n++ {
			ids[i] = fmt.Sprint(b.String(), n)
		}
	}
	return ids
}
