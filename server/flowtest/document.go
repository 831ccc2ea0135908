package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/nodes/data"
)

// A kept document is one that is there before the call, with a name to refer to
// where it has one.
type kept struct {
	pos    engine.Pos
	in     *engine.Collection
	as, id string
	fields *yaml.Node // its texts may refer to users and to documents above
}

var documentHead = []string{"id", "version", "creationDtm", "updatedDtm"}

// documents reads what is given of collections, as in
// products: [{as: pen, sku: PEN-1, stock: 3}].
func (r *reader) documents(n *yaml.Node) (all []kept) {
	for _, e := range r.mapping(n, "documents") {
		in := r.collection(e.key)
		if in == nil {
			continue
		}
		for _, item := range r.items(e.value, e.key.Value, false) {
			all = append(all, r.document(item, in))
		}
	}
	return all
}

func (r *reader) collection(n *yaml.Node) *engine.Collection {
	var known []string
	for _, c := range r.collections {
		if c.Name == n.Value {
			return c
		}
		known = append(known, c.Name)
	}
	r.problem(n, hint(n.Value, known, "types.yaml declares them"), "there is no collection %q", n.Value)
	return nil
}

func (r *reader) document(n *yaml.Node, in *engine.Collection) kept {
	k := kept{pos: r.at(n), in: in, fields: &yaml.Node{Kind: yaml.MappingNode, Line: n.Line, Column: n.Column}}
	for _, e := range r.mapping(n, "a document") {
		switch e.key.Value {
		case "as":
			k.as = r.text(e.value, "as")
		case "id":
			k.id = r.text(e.value, "id")
		default:
			if in.Fields.Prop(e.key.Value) == nil {
				r.unknown(e.key, fieldNames(in), "%s has no field %q", in.Name, e.key.Value)
			}
			k.fields.Content = append(k.fields.Content, e.key, e.value)
		}
	}
	return k
}

func fieldNames(in *engine.Collection) (names []string) {
	for _, p := range in.Fields.Props {
		names = append(names, p.Name)
	}
	return names
}

// documentProps are what a test can say of a document behind its name.
func documentProps(k kept) []string {
	props := slices.Clone(documentHead)
	for i := 0; i < len(k.fields.Content); i += 2 {
		if k.fields.Content[i+1].Kind == yaml.ScalarNode {
			props = append(props, k.fields.Content[i].Value)
		}
	}
	return props
}

// keep puts a document into the store and returns what the test can refer to.
func (st *stage) keep(ctx context.Context, k kept, ns names) (map[string]string, error) {
	text, err := json.Marshal(plainValue(k.fields, ns.any))
	if err != nil {
		return nil, fmt.Errorf("%s: writing document: %w", k.pos, err)
	}
	body, faults := k.in.Fields.Normal(text, k.in.Name)
	if len(faults) > 0 {
		return nil, fmt.Errorf("%s: %s", k.pos, faults[0].Message)
	}
	now := present()
	d := data.Document{ID: ns.expand(k.id), Version: 1, Created: now, Updated: now, Body: body}
	if d.ID == "" {
		d.ID = newID()
	}
	if err := st.documents.Create(ctx, data.FromEngine(k.in), d); err != nil {
		return nil, fmt.Errorf("%s: %w", k.pos, err)
	}
	values := map[string]string{}
	shown, err := showDocument(d)
	if err != nil {
		return nil, err
	}
	for name, v := range shown {
		values[name] = fmt.Sprint(v)
	}
	return values, nil
}

// showDocument is a document as answers have it.
func showDocument(d data.Document) (map[string]any, error) {
	shown, err := plain(map[string]any{"id": d.ID, "version": d.Version, "creationDtm": d.Created, "updatedDtm": d.Updated})
	if err != nil {
		return nil, err
	}
	fields, err := plain(json.RawMessage(d.Body))
	if err != nil {
		return nil, err
	}
	all := shown.(map[string]any)
	for name, v := range fields.(map[string]any) {
		all[name] = v
	}
	return all, nil
}

// storedDocuments reads what must be in collections: how many, or which.
func (r *reader) storedDocuments(n *yaml.Node, w *want) {
	for _, e := range r.mapping(n, "documents") {
		in := r.collection(e.key)
		if in == nil {
			continue
		}
		w.documents = append(w.documents, e)
		if e.value.Kind == yaml.ScalarNode {
			r.number(e.value, e.key.Value, 0, 1<<20)
			continue
		}
		for _, item := range r.items(e.value, e.key.Value, false) {
			r.mapping(item, "one of "+e.key.Value, append(fieldNames(in), documentHead...)...)
			r.checkMatchers(item)
		}
	}
}

// checkDocuments compares collections with what a test wants of them; documents
// stand in the order in which they were made.
func (s *Suite) checkDocuments(ctx context.Context, w *want, m *match) error {
	for _, e := range w.documents {
		i := slices.IndexFunc(s.app.Collections, func(c *engine.Collection) bool { return c.Name == e.key.Value })
		found, err := s.stage.documents.Find(ctx, data.FromEngine(s.app.Collections[i]), data.Query{Limit: 1 << 20})
		if err != nil {
			return fmt.Errorf("listing documents: %w", err)
		}
		slices.SortStableFunc(found, func(a, b data.Document) int {
			if a.Created.Equal(b.Created) {
				return strings.Compare(a.ID, b.ID)
			}
			return a.Created.Compare(b.Created)
		})
		shown := make([]any, len(found))
		for i, d := range found {
			if shown[i], err = showDocument(d); err != nil {
				return err
			}
		}
		m.counted(e.value, shown, e.key.Value+" are stored", "stored "+e.key.Value)
	}
	return nil
}
