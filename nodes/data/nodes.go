package data

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/user"
)

// Head is what every document has beside the fields of its collection.
type Head struct {
	ID          string    `json:"id" doc:"Id of the document."`
	Version     int       `json:"version" doc:"1 at first, one more with each change."`
	CreationDtm time.Time `json:"creationDtm" doc:"When the document was created."`
	UpdatedDtm  time.Time `json:"updatedDtm" doc:"When the document last changed."`
}

// The ways out of the nodes.
var (
	NotFound  = engine.NewOutcome("notFound", engine.NotFound, "There is no such document.")
	Taken     = engine.NewOutcome("taken", engine.Conflict, "Another document has the same.")
	Stale     = engine.NewOutcome("stale", engine.Conflict, "The document has changed meanwhile. Read it again.")
	Unmet     = engine.NewOutcome("unmet", engine.Conflict, "The document does not allow this change as it is now.")
	BadCursor = engine.NewOutcome("invalidCursor", engine.Invalid, "The cursor does not belong to this list.")
)

// Bounds of what one step can ask for.
const (
	mostListed  = 100     // documents of data.find
	mostCounted = 100_000 // of data.count
	mostWrites  = 100     // changes of data.write
)

// Nodes returns the nodes of documents, which are kept in s.
func Nodes(s Store) []*engine.Node {
	k := keeper{s}
	return []*engine.Node{
		shown("id: product\nnode: data.get\nwith: {collection: products, where: {sku: PEN-1}}\non: {notFound: continue}",
			engine.Template[getIn, anyDocument]("data.get", "Finds one document, by its id or by a unique key. "+
				"The result is the document.", k.get, NotFound)),
		shown("id: found\nnode: data.find\nwith: {collection: orders, owner: $session.userId, sort: [-creationDtm], limit: 10}",
			engine.Template[findIn, listOut]("data.find", "Lists documents, a page at a time.", k.find, BadCursor)),
		shown("id: orders\nnode: data.count\nwith: {collection: orders, owner: $session.userId}",
			engine.Template[countIn, countOut]("data.count", "Counts documents.", k.count)),
		shown("id: order\nnode: data.create\nwith: {collection: orders, owner: $session.userId, values: {status: open}}",
			engine.Template[createIn, anyDocument]("data.create", "Adds a document. The result is the document.", k.create, Taken)),
		shown("id: product\nnode: data.update\nwith: {collection: products, id: pen, inc: {stock: -1}}",
			engine.Template[updateIn, anyDocument]("data.update", "Changes one document, in one step with what must hold of it. "+
				"The result is the document as it is then.", k.update, NotFound, Stale, Unmet, Taken)),
		shown("node: data.delete\nwith: {collection: products, id: pen}",
			engine.Template[deleteIn, engine.None]("data.delete", "Removes one document.", k.delete, NotFound, Stale, Unmet)),
		shown("node: data.write\nwith:\n  changes:\n    - {update: products, id: pen, inc: {stock: -1}}\n    - {create: orders, owner: $session.userId, values: {status: open}}",
			engine.Template[writeIn, writeOut]("data.write", "Makes several changes, in one collection or in several: all of them or none.",
				k.write, NotFound, Stale, Unmet, Taken)),
	}
}

// shown gives a node its example, a step without its dash.
func shown(step string, n *engine.Node) *engine.Node {
	n.Example = "  - " + strings.ReplaceAll(step, "\n", "\n    ") + "\n"
	return n
}

type keeper struct{ store Store }

// The structs below are what the documentation, the editor's completion and the
// check of parameter names know of the nodes. What a step takes and gives in
// truth is made for it.

type anyDocument struct{ Head }

type ofIn struct {
	Collection string         `json:"collection" doc:"Name of the collection, as types.yaml declares it; fixed in the flow."`
	Owner      *user.ProvenID `json:"owner" doc:"User whose documents they are, as a proof such as $session.userId; for collections with an owner."`
	Everyone   *bool          `json:"everyone" doc:"true to reach the documents of everyone, in a collection with an owner."`
}

type getIn struct {
	ofIn
	ID     *string        `json:"id" doc:"Id of the document."`
	Where  map[string]any `json:"where,omitzero" doc:"Conditions: with an id what else must hold, without one all fields of a unique key."`
	Select []string       `json:"select,omitzero" doc:"Fields to give; all without it. The id is always there."`
}

type findIn struct {
	ofIn
	Where  map[string]any `json:"where,omitzero" doc:"Conditions, as in {category: $query.category, price: {lt: 100}}. A name with ? is left out while its value is absent."`
	Sort   []string       `json:"sort,omitzero" doc:"Fields to sort by, with - in front for downwards, as in [-price, name]; or a reference to a text whose enum has such fields."`
	Limit  int            `json:"limit" default:"20" min:"1" max:"100" doc:"Most documents on a page."`
	After  *string        `json:"after" doc:"Where the page starts: next of the page before."`
	Select []string       `json:"select,omitzero" doc:"Fields to give; all without it. The id is always there."`
}

type listOut struct {
	Items []anyDocument `json:"items" doc:"Documents on this page, in order."`
	Next  string        `json:"next,omitzero" doc:"Where the next page starts; absent on the last one."`
}

type countIn struct {
	ofIn
	Where map[string]any `json:"where,omitzero" doc:"Conditions, as of data.find."`
	Most  int            `json:"most" default:"10000" min:"1" max:"100000" doc:"Where to stop counting."`
}

type countOut struct {
	Count int `json:"count" doc:"How many there are, or most."`
}

type createIn struct {
	ofIn
	ID     *string        `json:"id" doc:"Id of the new document, where it is not to be a new one."`
	Values map[string]any `json:"values" doc:"Fields of the new document."`
}

type updateIn struct {
	ofIn
	ID      string         `json:"id" doc:"Id of the document."`
	Where   map[string]any `json:"where,omitzero" doc:"What must hold of the document for the change to happen; else it leaves by unmet."`
	Version *int           `json:"version" doc:"Version that the document must have; else it leaves by stale."`
	Set     map[string]any `json:"set,omitzero" doc:"Fields to set. A name with ? stays as it is while its value is absent."`
	Unset   []string       `json:"unset,omitzero" doc:"Optional fields to take away."`
	Inc     map[string]any `json:"inc,omitzero" doc:"Numbers to add to fields, as in {stock: -1}. A result out of the field's bounds leaves by unmet."`
	Push    map[string]any `json:"push,omitzero" doc:"Items to add to the ends of lists, as in {lines: $body.line}. A list beyond its maxItems leaves by unmet."`
	Pull    map[string]any `json:"pull,omitzero" doc:"Items to take out of lists of scalars, as in {tags: $body.tag}."`
}

type deleteIn struct {
	ofIn
	ID      string         `json:"id" doc:"Id of the document."`
	Where   map[string]any `json:"where,omitzero" doc:"What must hold of the document for it to go; else it leaves by unmet."`
	Version *int           `json:"version" doc:"Version that the document must have; else it leaves by stale."`
}

type writeIn struct {
	Changes []any `json:"changes" doc:"Up to 100 changes in order, each as {create: COLLECTION, ...}, {update: COLLECTION, ...} or {delete: COLLECTION, ...} with the parameters of the node of that name."`
}

type writeOut struct {
	IDs []string `json:"ids" doc:"Ids of the documents, in the order of the changes."`
}

func (k keeper) get(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", reads)
	if s == nil {
		return nil
	}
	id := s.slot("id")
	where := s.conditions("where")
	s.selects()
	u.Gives(s.gives())
	if id == nil {
		s.uniquely(where)
	}
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		filter := s.scope(in, where)
		var d Document
		if id != nil {
			var err error
			if d, err = k.store.Get(ctx, s.c, text(id, in), filter); err != nil {
				return leave(err, "reading")
			}
		} else {
			found, err := k.store.Find(ctx, s.c, Query{Filter: filter, Limit: 1})
			if err != nil {
				return leave(err, "reading")
			}
			if len(found) == 0 {
				return NotFound
			}
			d = found[0]
		}
		return s.give(out, d)
	}
}

func (k keeper) find(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", reads)
	if s == nil {
		return nil
	}
	where := s.conditions("where")
	order := s.order()
	limit, after := s.slot("limit"), s.slot("after")
	s.selects()
	u.Gives(engine.NewType("",
		&engine.Prop{Name: "items", Doc: "Documents on this page, in order.", Type: engine.ListOf(s.gives(), mostListed)},
		&engine.Prop{Name: "next", Doc: "Where the next page starts; absent on the last one.", Type: textType, Optional: true},
	))
	s.served(where, order)
	if after == nil {
		u.Outcomes = nil
	}
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		q := Query{Filter: s.scope(in, where), Sort: order.of(in), Limit: whole(limit, in, 20)}
		if cursor := text(after, in); cursor != "" {
			var ok bool
			if q.After, ok = readCursor(s.c, q.Sort, cursor); !ok {
				return BadCursor
			}
		}
		size := q.Limit
		q.Limit++ // one more tells whether there are more
		found, err := k.store.Find(ctx, s.c, q)
		if err != nil {
			return leave(err, "listing")
		}
		next := ""
		if len(found) > size {
			found = found[:size]
			next = cursor(s.c, q.Sort, found[size-1])
		}
		return setList(out, found, next)
	}
}

func (k keeper) count(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", reads)
	if s == nil {
		return nil
	}
	where := s.conditions("where")
	most := s.slot("most")
	u.Gives(engine.TypeOf[countOut]())
	s.served(where, ordering{})
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		n, err := k.store.Count(ctx, s.c, s.scope(in, where), whole(most, in, 10_000))
		if err != nil {
			return leave(err, "counting")
		}
		return out.SetJSON(fmt.Appendf(nil, `{"count":%d}`, n))
	}
}

func (k keeper) create(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", writes)
	if s == nil {
		return nil
	}
	add := s.creation()
	u.Gives(s.gives())
	u.Outcomes = s.ways.outcomes(u.Outcomes)
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		d, err := add(in)
		if err != nil {
			return err
		}
		if err := k.store.Create(ctx, s.c, d); err != nil {
			return leave(err, "adding")
		}
		return s.give(out, d)
	}
}

func (k keeper) update(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", writes)
	if s == nil {
		return nil
	}
	target, change := s.target(), s.change()
	u.Gives(s.gives())
	u.Outcomes = s.ways.outcomes(u.Outcomes)
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		d, err := k.store.Update(ctx, s.c, target(in), change(in), now())
		if err != nil {
			return leave(err, "changing")
		}
		return s.give(out, d)
	}
}

func (k keeper) delete(u *engine.Use) engine.Action {
	s := begin(u, u.With(), "", writes)
	if s == nil {
		return nil
	}
	target := s.target()
	u.Outcomes = s.ways.outcomes(u.Outcomes)
	return func(ctx context.Context, in engine.Args, _ engine.Result) error {
		if err := k.store.Delete(ctx, s.c, target(in)); err != nil {
			return leave(err, "removing")
		}
		return nil
	}
}

// write compiles each change as the step of the node of its name.
func (k keeper) write(u *engine.Use) engine.Action {
	u.Gives(engine.TypeOf[writeOut]())
	changes, ok := entry(u.With(), "changes")
	if !ok {
		return nil
	}
	if k.store != nil && !k.store.Atomic() {
		u.Problem(u.Pos(), "a replica set or a sharded cluster of MongoDB has them, and the embedded database", "the store of this server has no transactions")
	}
	items, ok := changes.List()
	if !ok || len(items) == 0 || len(items) > mostWrites {
		u.Problem(changes.Pos(), "as in - {create: orders, values: {...}}", "changes must be a list of 1 to %d changes", mostWrites)
		return nil
	}
	var makers []func(engine.Args) (Write, error)
	possible := ways{}
	for _, item := range items {
		if m := oneWrite(u, item, possible); m != nil {
			makers = append(makers, m)
		}
	}
	u.Outcomes = possible.outcomes(u.Outcomes)
	return func(ctx context.Context, in engine.Args, out engine.Result) error {
		all := make([]Write, len(makers))
		for i, m := range makers {
			var err error
			if all[i], err = m(in); err != nil {
				return err
			}
		}
		documents, err := k.store.Write(ctx, all, now())
		if err != nil {
			return leave(err, "making changes")
		}
		ids := make([]string, len(documents))
		for i, d := range documents {
			ids[i] = string(appendText(nil, d.ID))
		}
		return out.SetJSON([]byte(`{"ids":[` + strings.Join(ids, ",") + `]}`))
	}
}

var writeWords = []string{"create", "update", "delete"}

// oneWrite compiles one of several changes, and adds to the ways out.
func oneWrite(u *engine.Use, item engine.Entry, possible ways) func(engine.Args) (Write, error) {
	members, ok := item.Object()
	verb := slices.IndexFunc(members, func(e engine.Entry) bool { return slices.Contains(writeWords, e.Name) })
	if !ok || verb < 0 {
		u.Problem(item.Pos(), "as in {create: orders, values: {...}}", "a change begins with create, update or delete")
		return nil
	}
	word := members[verb].Name
	s := begin(u, members, word, writes)
	if s == nil {
		return nil
	}
	s.ways = possible
	switch word {
	case "create":
		add := s.creation()
		return func(in engine.Args) (Write, error) {
			d, err := add(in)
			return Write{Collection: s.c, Create: &d}, err
		}
	case "update":
		target, change := s.target(), s.change()
		return func(in engine.Args) (Write, error) {
			c := change(in)
			return Write{Collection: s.c, Target: target(in), Change: &c}, nil
		}
	}
	target := s.target()
	return func(in engine.Args) (Write, error) { return Write{Collection: s.c, Target: target(in)}, nil }
}

// leave turns what a store says into the way out of a node.
func leave(err error, doing string) error {
	var taken *TakenError
	switch {
	case errors.Is(err, ErrNotFound):
		return NotFound
	case errors.Is(err, ErrStale):
		return Stale
	case errors.Is(err, ErrUnmet):
		return Unmet
	case errors.As(err, &taken):
		return Taken.Saying("Another document has the same " + strings.Join(taken.Fields, " and ") + ".")
	}
	return fmt.Errorf("%s documents: %w", doing, err)
}

// now is the time of a change, as far as stores keep it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
