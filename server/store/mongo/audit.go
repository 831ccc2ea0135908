package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"sluice/nodes/audit"
)

var _ audit.Store = Events{}

// Events are the audit events in a database. Each process writes a chain of its
// own, which begins with the first event.
type Events struct{ db *DB }

// An entry is an event as the database has it. Its _id names its place in the
// chain, so that no place is taken twice.
type entry struct {
	ID        string        `bson:"_id"`
	Chain     string        `bson:"chain"`
	Seq       int64         `bson:"seq"`
	At        bson.DateTime `bson:"at"`
	Kind      string        `bson:"kind"`
	Actor     string        `bson:"actor"`
	Subject   string        `bson:"subject"`
	SessionID string        `bson:"session"`
	IP        string        `bson:"ip"`
	UserAgent string        `bson:"agent"`
	RequestID string        `bson:"request"`
	Flow      string        `bson:"flow"`
	Outcome   string        `bson:"outcome"`
	Details   []detail      `bson:"details"` // a list, as names may hold what keys must not
	KeyID     string        `bson:"key"`
	Seal      bson.Binary   `bson:"seal"`
}

type detail struct {
	Name  string `bson:"name"`
	Value string `bson:"value"`
}

func entryOf(e audit.Event) entry {
	x := entry{
		ID: e.ID, Chain: e.Chain, Seq: e.Seq, At: date(e.At), Kind: string(e.Kind), Actor: e.Actor, Subject: e.Subject,
		SessionID: e.SessionID, IP: e.IP, UserAgent: e.UserAgent, RequestID: e.RequestID, Flow: e.Flow, Outcome: e.Outcome,
		KeyID: e.KeyID, Seal: binary(e.Seal[:]),
	}
	for name, value := range e.Details {
		x.Details = append(x.Details, detail{name, value})
	}
	return x
}

func (x *entry) event() audit.Event {
	e := audit.Event{
		ID: x.ID, Chain: x.Chain, Seq: x.Seq, At: x.At.Time().UTC(), Kind: audit.Kind(x.Kind), Actor: x.Actor, Subject: x.Subject,
		SessionID: x.SessionID, IP: x.IP, UserAgent: x.UserAgent, RequestID: x.RequestID, Flow: x.Flow, Outcome: x.Outcome, KeyID: x.KeyID,
	}
	copy(e.Seal[:], x.Seal.Data) // one of another length is a wrong one
	for _, d := range x.Details {
		if e.Details == nil {
			e.Details = map[string]string{}
		}
		e.Details[d.Name] = d.Value
	}
	return e
}

// A tip is the head of a chain as its process last noted it.
type tip struct {
	Chain string        `bson:"_id"`
	Seq   int64         `bson:"seq"`
	At    bson.DateTime `bson:"at"`
	Seal  bson.Binary   `bson:"seal"`
}

func tipOf(h audit.Head) *tip { return &tip{h.Chain, h.Seq, date(h.At), binary(h.Seal[:])} }

func (t *tip) head() audit.Head {
	h := audit.Head{Chain: t.Chain, Seq: t.Seq, At: t.At.Time().UTC()}
	copy(h.Seal[:], t.Seal.Data)
	return h
}

// A keyPart is that part of a key of another store which verifies.
type keyPart struct {
	ID      string      `bson:"_id"`
	Sealing bson.Binary `bson:"sealing"`
}

func (db *DB) pastKeys(ctx context.Context) (keys audit.Keys, err error) {
	err = each(ctx, db.auditKeys, where(), options.Find(), func(k *keyPart) error {
		if len(k.Sealing.Data) != 32 {
			return fmt.Errorf("audit key %s has %d bytes", k.ID, len(k.Sealing.Data))
		}
		keys = append(keys, audit.PastKey(k.ID, [32]byte(k.Sealing.Data)))
		return nil
	})
	return keys, err
}

func (es Events) Append(ctx context.Context, e audit.Event) (audit.Event, error) {
	ctx, cancel := es.db.bound(ctx)
	defer cancel()
	return es.db.sealer.append(ctx, e)
}

func (es Events) Keys() audit.Keys {
	return slices.Concat(es.db.sealer.chain.Keys, *es.db.sealer.past.Load())
}

func (es Events) List(ctx context.Context, q audit.Query) ([]audit.Event, error) {
	var filter bson.D
	if !q.Since.IsZero() {
		filter = append(filter, condition("at", "$gte", date(q.Since)))
	}
	if !q.Until.IsZero() {
		filter = append(filter, below("at", date(q.Until)))
	}
	if len(q.Kinds) > 0 {
		kinds := make([]string, len(q.Kinds))
		for i, k := range q.Kinds {
			kinds[i] = string(k)
		}
		filter = append(filter, condition("kind", "$in", kinds))
	}
	var both bson.A // as two conditions cannot both be $or
	if len(q.Of) > 0 {
		both = append(both, where(either(where(condition("actor", "$in", q.Of)), where(condition("subject", "$in", q.Of)))))
	}
	if a := q.After; a.Seq > 0 {
		at := is("at", date(a.At))
		both = append(both, bson.D{{Key: "$or", Value: bson.A{
			where(above("at", date(a.At))),
			where(at, above("chain", a.Chain)),
			where(at, is("chain", a.Chain), above("seq", a.Seq)),
		}}})
	}
	if len(both) > 0 {
		filter = append(filter, bson.E{Key: "$and", Value: both})
	}
	return es.db.events(ctx, filter, bson.D{{Key: "at", Value: 1}, {Key: "chain", Value: 1}, {Key: "seq", Value: 1}}, q.Limit)
}

func (es Events) Chain(ctx context.Context, chain string, after int64, limit int) ([]audit.Event, error) {
	return es.db.events(ctx, where(is("chain", chain), above("seq", after)), bson.D{{Key: "seq", Value: 1}}, limit)
}

// events reads a page. That nobody waits for it in a request is why it may take
// longer than other calls.
func (db *DB) events(ctx context.Context, filter, sort bson.D, limit int) ([]audit.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*db.budget)
	defer cancel()
	if filter == nil {
		filter = bson.D{}
	}
	var found []entry
	rows, err := db.audit.Find(ctx, filter, options.Find().SetSort(sort).SetLimit(int64(limit)))
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading audit events", err)
	}
	page := make([]audit.Event, len(found))
	for i := range found {
		page[i] = found[i].event()
	}
	return page, nil
}

// Heads returns the heads that processes noted. One without events is of a chain
// that is about to begin, or came to nothing.
func (es Events) Heads(ctx context.Context) ([]audit.Head, error) {
	ctx, cancel := es.db.bound(ctx)
	defer cancel()
	var found []tip
	rows, err := es.db.tips.Find(ctx, bson.D{}, options.Find().SetSort(bson.D{{Key: "at", Value: -1}}))
	if err == nil {
		err = rows.All(ctx, &found)
	}
	if err != nil {
		return nil, failed("reading heads of the audit log", err)
	}
	heads := make([]audit.Head, len(found))
	for i := range found {
		heads[i] = found[i].head()
	}
	return heads, nil
}

// Prune writes for each chain where it is going to begin, and then deletes what
// is before. Where it fails in between, the next one deletes the rest.
func (es Events) Prune(ctx context.Context, before time.Time) (int, error) {
	heads, err := es.Heads(ctx)
	if err != nil {
		return 0, err
	}
	gone := 0
	for _, h := range heads {
		old := where(is("chain", h.Chain), below("at", date(before)))
		page, err := es.db.events(ctx, old, bson.D{{Key: "seq", Value: -1}}, 1)
		if err != nil {
			return gone, err
		}
		if len(page) == 0 {
			if h.Seq == 0 && h.At.Before(before) {
				if _, err := es.remove(ctx, audit.Event{Chain: h.Chain}); err != nil {
					return gone, err
				}
			}
			continue
		}
		if _, err := es.Append(ctx, audit.PrunedEvent(page[0])); err != nil {
			return gone, err
		}
		n, err := es.remove(ctx, page[0])
		if gone += n; err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// remove deletes a chain up to and with an event, and its head where that was all.
func (es Events) remove(ctx context.Context, last audit.Event) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*es.db.budget)
	defer cancel()
	done, err := es.db.audit.DeleteMany(ctx, where(is("chain", last.Chain), upTo("seq", last.Seq)))
	if err == nil {
		_, err = es.db.tips.DeleteOne(ctx, where(is("_id", last.Chain), upTo("seq", last.Seq)))
	}
	if err != nil {
		return 0, failed("deleting audit events", err)
	}
	return int(done.DeletedCount), nil
}

// insert writes a batch in its order. Where it fails, some of the batch may be
// there, from the front.
func (db *DB) insert(ctx context.Context, batch []audit.Event) error {
	rows := make([]entry, len(batch))
	for i, e := range batch {
		rows[i] = entryOf(e)
	}
	if _, err := db.audit.InsertMany(ctx, rows, options.InsertMany().SetOrdered(true)); err != nil {
		if driver.IsDuplicateKeyError(err) {
			err = fmt.Errorf("the place in the chain is taken: %w", err)
		}
		return failed("writing audit events", err)
	}
	return nil
}

// noteHead keeps the head of a chain apart from it.
func (db *DB) noteHead(ctx context.Context, h audit.Head) error {
	_, err := db.tips.ReplaceOne(ctx, where(is("_id", h.Chain)), tipOf(h), options.Replace().SetUpsert(true))
	if err != nil {
		return failed("noting the head of the audit log", err)
	}
	return nil
}

var errHungUp = errors.New("store is closed")
