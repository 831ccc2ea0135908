package nodestest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/data"
	"sluice/nodes/memory"
)

// DocumentHistories compares stores of documents with package memory over
// random histories. A store that keeps no documents is skipped.
func DocumentHistories(t *testing.T, open func(t *testing.T) nodes.Stores) {
	const histories, operations = 20, 300
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { DocumentHistory(t, open(t), seed, operations) })
	}
}

// DocumentHistory does n operations, which follow from the seed, to a store and
// to package memory, and fails the test at the first that they answer differently.
func DocumentHistory(t *testing.T, s nodes.Stores, seed uint64, n int) {
	if s.Data == nil {
		t.Skip("this store keeps no documents")
	}
	h := &documentHistory{Rand: rand.New(rand.NewPCG(seed, 1)), now: present(), atomic: s.Data.Atomic()}
	got, want := s.Data, memory.New().Data
	h.things = &data.Collection{Name: "things", Fields: kinds()}
	done := []string{}
	for i := range n {
		op := h.prepare()
		if i > 0 {
			op = h.next()
		}
		done = append(done, op.text)
		w, g := op.do(t.Context(), want), op.do(t.Context(), got)
		if g != w {
			t.Fatalf("seed %d, history:\n\t%s\n%s\n\t= %s,\n\twant %s", seed, strings.Join(done, "\n\t"), op.text, g, w)
		}
		h.look(t, want)
	}
}

// A documentOperation is done to both stores and answers with a text.
type documentOperation struct {
	text string
	do   func(ctx context.Context, s data.Store) string
}

// A documentHistory makes operations about few documents with few values, so
// that they meet.
type documentHistory struct {
	*rand.Rand
	now    time.Time
	atomic bool
	things *data.Collection
	made   int             // ids handed out
	docs   []data.Document // that are there
}

// look notes what is there, for the operations to come.
func (h *documentHistory) look(t *testing.T, model data.Store) {
	var err error
	if h.docs, err = model.Find(t.Context(), h.things, data.Query{Limit: 1000}); err != nil {
		t.Fatalf("Find() of the model = %v, want nil", err)
	}
}

func (h *documentHistory) next() documentOperation {
	h.now = h.now.Add([]time.Duration{0, time.Millisecond, time.Second}[h.IntN(3)])
	switch n := h.IntN(100); {
	case n < 22:
		return h.create()
	case n < 30:
		return h.get()
	case n < 56:
		return h.find()
	case n < 62:
		return h.count()
	case n < 87:
		return h.update()
	case n < 92:
		return h.remove()
	case n < 98 && h.atomic:
		return h.write()
	}
	return h.prepare()
}

// one returns one of some.
func one[T any](h *documentHistory, of ...T) T { return of[h.IntN(len(of))] }

// values are what the scalar fields of a history hold.
func (h *documentHistory) value(path string) any {
	switch path {
	case "name", "owner", "place.city", "serial", "tags":
		return one(h, "", "a", "ab", "b", "$a", "é", "a\x00")
	case "count", "place.spot.level", "numbers", data.Version:
		return one(h, int64(-1), 0, 1, 2, 3, 1<<53+1, 1<<63-1)
	case "price", "sizes":
		return one(h, -0.5, 0, 0.1, 1, 2, float64(1<<60), 1e300, 1.7e308)
	case "on":
		return h.IntN(2) == 0
	case data.ID:
		return h.id()
	}
	return h.now.Add(time.Duration(h.IntN(5)-2) * time.Second).Truncate(time.Second)
}

// paths are those of scalar fields.
func (h *documentHistory) path() string {
	return one(h, "name", "owner", "place.city", "serial", "count", "place.spot.level", "price", "on", "at")
}

func (h *documentHistory) anyPath() string {
	if h.IntN(6) > 0 {
		return h.path()
	}
	return one(h, data.ID, data.Version, data.Created, data.Updated)
}

func (h *documentHistory) id() string {
	if len(h.docs) == 0 || h.IntN(15) == 0 {
		return "unknown"
	}
	return h.docs[h.IntN(len(h.docs))].ID
}

// document returns a new one, or sometimes one with an id that is taken.
func (h *documentHistory) document() data.Document {
	h.made++
	var parts []string
	for _, path := range []string{"name", "owner", "count", "price", "on", "at", "serial"} {
		switch h.IntN(4) {
		case 0:
		case 1:
			if path != "serial" {
				parts = append(parts, `"`+path+`":null`)
			}
		default:
			parts = append(parts, `"`+path+`":`+jsonOf(h.value(path)))
		}
	}
	for _, path := range []string{"tags", "numbers", "sizes"} {
		if h.IntN(2) == 0 {
			parts = append(parts, `"`+path+`":`+h.list(path))
		}
	}
	if h.IntN(2) == 0 {
		parts = append(parts, `"place":`+one(h, `{}`, `null`, `{"city":null}`, `{"spot":{}}`,
			fmt.Sprintf(`{"city":%s,"spot":{"level":%s}}`, jsonOf(h.value("place.city")), jsonOf(h.value("place.spot.level")))))
	}
	if h.IntN(4) == 0 {
		parts = append(parts, `"extra":`+one(h, `{"$a":null}`, `[1.0,{"b.c":2}]`, `"x"`))
	}
	h.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	id := fmt.Sprintf("id%02d", h.made*37%97)
	if h.IntN(10) == 0 {
		id = h.id()
	}
	return data.Document{ID: id, Version: 1, Created: h.now, Updated: h.now, Body: []byte("{" + strings.Join(parts, ",") + "}")}
}

func (h *documentHistory) list(path string) string {
	items := make([]string, h.IntN(4))
	for i := range items {
		items[i] = jsonOf(h.value(path))
	}
	return "[" + strings.Join(items, ",") + "]"
}

func (h *documentHistory) filter(depth int) data.Filter {
	n := h.IntN(10)
	if depth > 0 && n < 3 {
		f := data.Filter{Op: data.Op(n)}
		for range h.IntN(3) {
			f.Of = append(f.Of, h.filter(depth-1))
		}
		if f.Op == data.Not {
			f.Of = []data.Filter{h.filter(depth - 1)}
		}
		return f
	}
	if n == 3 {
		path := one(h, "tags", "numbers", "sizes")
		return is(path, data.Has, h.value(path))
	}
	path := h.anyPath()
	switch op := data.Op(uint8(data.Eq) + uint8(h.IntN(10))); op {
	case data.In, data.Nin:
		some := make([]any, h.IntN(4))
		for i := range some {
			some[i] = h.value(path)
		}
		return is(path, op, some)
	case data.Exists:
		return is(path, op, h.IntN(2) == 0)
	case data.Prefix:
		path = one(h, "name", "place.city", "serial", data.ID)
		return is(path, op, h.value(path))
	default:
		return is(path, op, h.value(path))
	}
}

func (h *documentHistory) target() data.Target {
	t := data.Target{ID: h.id()}
	if h.IntN(4) == 0 {
		t.Scope = h.filter(1)
	}
	if h.IntN(4) == 0 {
		t.If = h.filter(1)
	}
	if h.IntN(4) == 0 {
		t.Version = int64(1 + h.IntN(4))
	}
	return t
}

// change returns one whose parts name different fields.
func (h *documentHistory) change() data.Change {
	var c data.Change
	for _, path := range []string{"name", "owner", "place.city", "serial", "count", "place.spot.level", "price", "on", "at", "tags", "numbers", "sizes"} {
		if h.IntN(4) > 0 {
			continue
		}
		isList := path == "tags" || path == "numbers" || path == "sizes"
		switch n := h.IntN(6); {
		case n == 0:
			c.Unset = append(c.Unset, path)
		case n == 1 && isList:
			c.Set = append(c.Set, data.Set{Path: path, JSON: []byte(h.list(path))})
		case n < 4 && isList:
			p := data.Push{Path: path, Unique: h.IntN(2) == 0, Most: one(h, 0, 0, 2, 4)}
			for range h.IntN(4) {
				p.JSON = append(p.JSON, []byte(jsonOf(h.value(path))))
			}
			c.Push = append(c.Push, p)
		case isList:
			c.Pull = append(c.Pull, data.Pull{Path: path, JSON: []byte(jsonOf(h.value(path)))})
		case n < 5 && (path == "count" || path == "place.spot.level" || path == "price"):
			i := data.Inc{Path: path, By: h.value(path)}
			if h.IntN(3) == 0 {
				i.Least = h.value(path)
			}
			if h.IntN(3) == 0 {
				i.Most = h.value(path)
			}
			c.Inc = append(c.Inc, i)
		default:
			c.Set = append(c.Set, data.Set{Path: path, JSON: []byte(one(h, jsonOf(h.value(path)), jsonOf(h.value(path)), "null"))})
		}
	}
	return c
}

func (h *documentHistory) query() data.Query {
	q := data.Query{Filter: h.filter(3), Limit: 1 + h.IntN(6)}
	for range h.IntN(4) {
		path := h.anyPath()
		if !slices.ContainsFunc(q.Sort, func(s data.Sort) bool { return s.Path == path }) {
			q.Sort = append(q.Sort, data.Sort{Path: path, Down: h.IntN(2) == 0})
		}
	}
	if h.IntN(2) == 0 && len(h.docs) > 0 {
		q.After = data.Keys(h.things, q.Sort, h.docs[h.IntN(len(h.docs))])
	}
	return q
}

func (h *documentHistory) create() documentOperation {
	d, c := h.document(), h.things
	return documentOperation{"create " + d.ID + " " + string(d.Body), func(ctx context.Context, s data.Store) string {
		return told(s.Create(ctx, c, d))
	}}
}

func (h *documentHistory) get() documentOperation {
	id, c, scope := h.id(), h.things, h.filter(1)
	return documentOperation{"get " + id + " where " + condition(scope), func(ctx context.Context, s data.Store) string {
		d, err := s.Get(ctx, c, id, scope)
		return toldDocument(d, err)
	}}
}

func (h *documentHistory) find() documentOperation {
	q, c := h.query(), h.things
	return documentOperation{"find " + describe(q), func(ctx context.Context, s data.Store) string {
		page, err := s.Find(ctx, c, q)
		text := told(err)
		for _, d := range page {
			text += "; " + shown(d)
		}
		return text
	}}
}

func (h *documentHistory) count() documentOperation {
	f, c, most := h.filter(3), h.things, 1+h.IntN(9)
	return documentOperation{fmt.Sprintf("count %s up to %d", condition(f), most), func(ctx context.Context, s data.Store) string {
		n, err := s.Count(ctx, c, f, most)
		return fmt.Sprint(n, " ", told(err))
	}}
}

func (h *documentHistory) update() documentOperation {
	t, do, c, now := h.target(), h.change(), h.things, h.now
	return documentOperation{"update " + aim(t) + " by " + effect(do), func(ctx context.Context, s data.Store) string {
		d, err := s.Update(ctx, c, t, do, now)
		return toldDocument(d, err)
	}}
}

func (h *documentHistory) remove() documentOperation {
	t, c := h.target(), h.things
	return documentOperation{"delete " + aim(t), func(ctx context.Context, s data.Store) string { return told(s.Delete(ctx, c, t)) }}
}

func (h *documentHistory) write() documentOperation {
	writes, text, now := make([]data.Write, h.IntN(5)), "write", h.now
	for i := range writes {
		writes[i].Collection = h.things
		switch h.IntN(4) {
		case 0:
			d := h.document()
			writes[i].Create = &d
			text += ", create " + d.ID + " " + string(d.Body)
		case 1:
			writes[i].Target = h.target()
			text += ", delete " + aim(writes[i].Target)
		default:
			do := h.change()
			writes[i].Target, writes[i].Change = h.target(), &do
			text += ", update " + aim(writes[i].Target) + " by " + effect(do)
		}
	}
	return documentOperation{text, func(ctx context.Context, s data.Store) string {
		docs, err := s.Write(ctx, writes, now)
		text := told(err)
		for _, d := range docs {
			if d.Body == nil {
				d = data.Document{ID: d.ID}
			}
			text += "; " + shown(d)
		}
		return text
	}}
}

// prepare changes the indexes.
func (h *documentHistory) prepare() documentOperation {
	changed := with(h.things)
	for range h.IntN(4) {
		fields := []string{h.anyPath()}
		if more := h.anyPath(); h.IntN(2) == 0 && more != fields[0] {
			fields = append(fields, more)
		}
		x := data.Index{Fields: fields}
		if !slices.ContainsFunc(changed.Indexes, func(y data.Index) bool { return slices.Equal(x.Fields, y.Fields) }) {
			changed.Indexes = append(changed.Indexes, x)
		}
	}
	if h.IntN(3) > 0 {
		changed.Indexes = append(changed.Indexes, data.Index{Fields: []string{"serial"}, Unique: true})
	}
	return documentOperation{fmt.Sprintf("prepare with %v", changed.Indexes), func(ctx context.Context, s data.Store) string {
		if err := s.Prepare(ctx, []*data.Collection{changed}); err != nil {
			return "refused"
		}
		h.things = changed
		return "ok"
	}}
}

// told names what is in an error, as two stores word it differently.
func told(err error) string {
	at, taken, text := (*data.WriteError)(nil), (*data.TakenError)(nil), ""
	if errors.As(err, &at) {
		text = fmt.Sprintf("at %d ", at.At)
	}
	if errors.As(err, &taken) {
		return text + "taken in " + taken.Collection
	}
	for _, sentinel := range []error{data.ErrNotFound, data.ErrStale, data.ErrUnmet} {
		if errors.Is(err, sentinel) {
			return text + sentinel.Error()
		}
	}
	if err != nil {
		return text + err.Error()
	}
	return "ok"
}

func toldDocument(d data.Document, err error) string {
	if err != nil {
		return told(err)
	}
	return shown(d)
}

// aim is a target as text.
func aim(t data.Target) string {
	return fmt.Sprintf("%s of version %d where %s if %s", t.ID, t.Version, condition(t.Scope), condition(t.If))
}

// effect is a change as text.
func effect(c data.Change) string {
	text := fmt.Sprintf("unset %v add %v", c.Unset, c.Inc)
	for _, s := range c.Set {
		text += fmt.Sprintf(" set %s %s", s.Path, s.JSON)
	}
	for _, p := range c.Push {
		text += fmt.Sprintf(" push %s %s unique %t most %d", p.Path, p.JSON, p.Unique, p.Most)
	}
	for _, p := range c.Pull {
		text += fmt.Sprintf(" pull %s %s", p.Path, p.JSON)
	}
	return text
}
