package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/record"
)

var _ audit.Store = (*events)(nil)

// chainName is that of the chain that a memory writes; others came by an import.
const chainName = "memory"

// events are the events of the audit log.
type events struct {
	mu    sync.Mutex
	chain audit.Chain          // guarded by mu
	all   []audit.Event        // in the order of List; guarded by mu
	past  map[string]audit.Key // that sealed something, by id; guarded by mu
}

func newEvents() *events {
	key, err := audit.NewKey([]byte("a key that lasts as long as the memory"))
	if err != nil {
		panic("memory: " + err.Error())
	}
	return &events{chain: audit.Chain{Keys: audit.Keys{key}, Head: audit.Head{Chain: chainName}}, past: map[string]audit.Key{}}
}

func (es *events) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	es.mu.Lock()
	return nil
}

func (es *events) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	if err := es.lock(ctx); err != nil {
		return audit.Event{}, err
	}
	defer es.mu.Unlock()
	return es.append(e), nil
}

// append is called with mu held.
func (es *events) append(e audit.Event) audit.Event {
	e = es.chain.Seal(e, time.Now())
	es.all = append(es.all, e)
	es.sort()
	key := es.chain.Keys[0]
	id, _ := key.Parts()
	es.past[id] = key
	return e
}

// sort is called with mu held.
func (es *events) sort() {
	slices.SortStableFunc(es.all, func(a, b audit.Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Chain, b.Chain), cmp.Compare(a.Seq, b.Seq))
	})
}

func (es *events) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	return es.page(ctx, q.Limit, func(e *audit.Event) bool { return q.Has(e) })
}

func (es *events) Chain(ctx context.Context, chain string, after int64, limit int) ([]audit.Event, error) {
	return es.page(ctx, limit, func(e *audit.Event) bool { return e.Chain == chain && e.Seq > after })
}

func (es *events) page(ctx context.Context, limit int, has func(*audit.Event) bool) (page []audit.Event, err error) {
	if err := es.lock(ctx); err != nil {
		return nil, err
	}
	defer es.mu.Unlock()
	for i := range es.all {
		if len(page) < limit && has(&es.all[i]) {
			page = append(page, es.all[i])
		}
	}
	return page, nil
}

func (es *events) Heads(ctx context.Context) ([]audit.Head, error) {
	if err := es.lock(ctx); err != nil {
		return nil, err
	}
	defer es.mu.Unlock()
	heads := []audit.Head{es.chain.Head}
	for name := range es.chains() {
		if name != chainName {
			heads = append(heads, audit.Head{Chain: name})
		}
	}
	return heads, nil
}

// chains returns the last event of each chain. It is called with mu held.
func (es *events) chains() map[string]audit.Event {
	last := map[string]audit.Event{}
	for _, e := range es.all {
		last[e.Chain] = e
	}
	return last
}

func (es *events) Prune(ctx context.Context, before time.Time) (int, error) {
	if err := es.lock(ctx); err != nil {
		return 0, err
	}
	defer es.mu.Unlock()
	old := slices.IndexFunc(es.all, func(e audit.Event) bool { return !e.At.Before(before) })
	if old < 0 {
		old = len(es.all)
	}
	gone := slices.Clone(es.all[:old])
	es.all = slices.Delete(es.all, 0, old)
	last := map[string]audit.Event{}
	for _, e := range gone {
		last[e.Chain] = e
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		es.append(audit.PrunedEvent(last[name]))
	}
	return old, nil
}

func (es *events) Keys() audit.Keys {
	es.mu.Lock()
	defer es.mu.Unlock()
	own, _ := es.chain.Keys[0].Parts()
	keys := slices.Clone(es.chain.Keys)
	for id, k := range es.past {
		if id != own {
			keys = append(keys, k)
		}
	}
	return keys
}

func (es *events) records() (all []record.Record) {
	es.mu.Lock()
	defer es.mu.Unlock()
	for _, e := range es.all {
		all = append(all, record.EventOf(e))
	}
	for _, k := range es.past {
		all = append(all, record.AuditKeyOf(k))
	}
	return all
}

// count returns how many events there are, and keys that sealed them.
func (es *events) count() (events, auditKeys int) {
	es.mu.Lock()
	defer es.mu.Unlock()
	return len(es.all), len(es.past)
}

// put takes a record of an event or a key, and tells whether it is one.
func (es *events) put(r record.Record) (bool, error) {
	switch r := r.(type) {
	case *record.Event:
		before := int64(0)
		if last, ok := es.chains()[r.Chain]; ok {
			before = last.Seq
		}
		if r.Seq <= before {
			return true, fmt.Errorf("event %s is there already, or one behind it", r.ID)
		}
		es.all = append(es.all, r.Event)
		es.sort()
	case *record.AuditKey:
		if _, there := es.past[r.ID]; there {
			return true, fmt.Errorf("key %s is there already", r.ID)
		}
		es.past[r.ID] = r.Key()
	default:
		return false, nil
	}
	return true, nil
}

// become takes the place of what there was.
func (es *events) become(next *events) {
	es.mu.Lock()
	defer es.mu.Unlock()
	es.all, es.past = next.all, next.past
	es.chain.Head = audit.Head{Chain: chainName}
	if last, ok := next.chains()[chainName]; ok {
		es.chain.Head = last.Head()
	}
}
