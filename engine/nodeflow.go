package engine

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"gopkg.in/yaml.v3"
)

// A node flow is a file with node: instead of endpoint:. What it names is a
// node like any other; its parameters are $params, and return gives its result.

var nodeFlowKeys = []string{"about", "node", "params", "outcomes", "steps"}

var kindWords = map[string]Kind{
	"invalid": Invalid, "unauthenticated": Unauthenticated, "forbidden": Forbidden, "notFound": NotFound,
	"conflict": Conflict, "tooMany": TooMany, "unavailable": Unavailable,
}

// isNodeFlow tells by its keys what a file wants to be.
func isNodeFlow(root *yaml.Node) bool {
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == "node" {
			return true
		}
	}
	return false
}

func (d *draft) nodeFlow() {
	d.params = (&Type{Base: Object}).held()
	given := map[string]bool{}
	for _, e := range d.mapping(d.root, "a flow", nodeFlowKeys...) {
		given[e.key] = true
		switch e.key {
		case "about":
			d.About, _ = d.text(e.value, "about")
		case "node":
			d.nameAt = d.at(e.value)
			if name, ok := d.text(e.value, "node"); ok {
				d.name = name
				if !nodeName.MatchString(name) {
					d.problem(d.nameAt, "as in account.welcome", "%q is no name for a node", name)
				}
			}
		case "params":
			if t := d.parseType(e.value, "params"); t != nil {
				if t.Base != Object || t.Open {
					d.problem(d.at(e.value), "name each one, as in id: string", "params must name what the node takes")
					continue
				}
				t.Name = ""
				d.params = t
			}
		case "outcomes":
			d.readOutcomes(e.value)
		case "steps":
			d.steps = d.parseBlock(e.value, "steps")
		}
	}
	if !given["about"] || d.About == "" {
		d.problem(d.at(d.root), "about: one sentence", "a node needs a documentation")
	}
	if !given["steps"] {
		d.problem(d.at(d.root), "steps: with at least one step", "the flow has no steps")
	}
}

func (d *draft) readOutcomes(n *yaml.Node) {
	for _, e := range d.mapping(n, "outcomes") {
		o := &Outcome{Name: e.key}
		kind := ""
		for _, f := range d.mapping(e.value, "an outcome", "kind", "about") {
			switch f.key {
			case "kind":
				kind, _ = d.text(f.value, "kind")
				k, ok := kindWords[kind]
				if !ok {
					d.problem(d.at(f.value), DidYouMean(kind, slices.Sorted(maps.Keys(kindWords))), "there is no kind %q", kind)
				}
				o.Kind = k
			case "about":
				o.Doc, _ = d.text(f.value, "about")
			}
		}
		if kind == "" || o.Doc == "" {
			d.problem(e.at, "as in {kind: notFound, about: There is no such order.}", "outcome %q needs a kind and a sentence", e.key)
		}
		d.outcomes = append(d.outcomes, o)
	}
}

// uses lists the nodes that a block calls.
func (b *block) uses(found map[string]Pos) {
	if b == nil {
		return
	}
	for _, st := range b.steps {
		if st.verb == "node" {
			found[st.word] = st.wordAt
		}
		for _, inside := range st.blocks {
			inside.block.uses(found)
		}
	}
}

// compileNodes compiles the node flows, each behind those that it uses, and
// adds them to the nodes.
func compileNodes(drafts []*draft, env *Env, nodes map[string]*Node, declared map[string]Declared) {
	byName := map[string]*draft{}
	for _, d := range drafts {
		switch {
		case d.name == "":
		case byName[d.name] != nil:
			d.problem(d.nameAt, "in "+byName[d.name].file, "node %s is there already", d.name)
		case nodes[d.name] != nil:
			d.problem(d.nameAt, "choose another name", "node %s is one of the server's own", d.name)
		default:
			byName[d.name] = d
		}
	}
	done := map[string]bool{}
	var compile func(name string, way []string)
	compile = func(name string, way []string) {
		d := byName[name]
		if d == nil || done[name] {
			return
		}
		way = append(way, name)
		used := map[string]Pos{}
		d.steps.uses(used)
		for _, n := range slices.Sorted(maps.Keys(used)) {
			if i := slices.Index(way, n); i >= 0 {
				d.problem(used[n], "every flow must end", "node %s calls itself: %s", n, strings.Join(append(slices.Clone(way[i:]), n), ", "))
				nodes[n] = &Node{Name: n, Doc: "x", In: byName[n].params, Out: (&Type{Base: Object}).held(), broken: true}
				continue
			}
			compile(n, way)
		}
		d.compile(env, nodes, declared)
		nodes[name] = d.node()
		done[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		compile(name, nil)
	}
}

// node makes a node of a compiled node flow.
func (d *draft) node() *Node {
	out := d.gives
	if out == nil {
		out = (&Type{Base: Object}).held()
	}
	in := d.params
	fails := slices.DeleteFunc(slices.Clone(d.Fails), func(f Failure) bool { return d.outcome(f.Code) != nil })
	return &Node{
		Name: d.name, Doc: d.About, In: in, Out: out, Outcomes: d.outcomes, flow: d.Program, fails: fails,
		zero: func() unsafe.Pointer { return newOf(in) },
		alloc: func(proto unsafe.Pointer) (unsafe.Pointer, unsafe.Pointer) {
			v := reflect.New(in.goType)
			v.Elem().Set(reflect.NewAt(in.goType, proto).Elem())
			return v.UnsafePointer(), newOf(out)
		},
	}
}

// callFlow runs the flow behind a node as part of this run.
func (r *run) callFlow(ctx context.Context, n *Node, in, out unsafe.Pointer) error {
	p := n.flow
	f := make(frame, max(p.slots, int(rootSlots)))
	f[slotParams], f[slotEnv] = in, p.vars
	inner := &run{p: p, work: r.work, probe: r.probe}
	if err := inner.whole(ctx, f); err != nil {
		if o := n.outcome(err.Items[0].Code); o != nil {
			return &exit{o: o, cause: err}
		}
		return err
	}
	if inner.result != nil {
		reflect.NewAt(n.Out.goType, out).Elem().Set(reflect.NewAt(n.Out.goType, inner.result).Elem())
	}
	r.undos = append(r.undos, inner.undos...)
	return nil
}

// newRun begins a run that counts its own work.
func newRun(p *Program) *run {
	r := &run{p: p}
	r.work = &r.own
	return r
}
