package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/data"
	"sluice/nodes/record"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
)

var _ record.Store = Records{}

// Records are all that is in a database.
type Records struct{ db *DB }

// Bounds of what moves many documents.
const (
	pageOfUsers = 200
	pageOfRest  = 1000
	pageTime    = 5 * time.Minute // for a page
)

// importMark is the id of the document that says that an import has not finished.
const importMark = "import"

// Export reads a page of users and then their sessions and keys, each document as
// a majority has it, so that none of these comes without its user. Pages are read one
// after the other: what others write meanwhile is in it or not.
func (rs Records) Export(ctx context.Context, now time.Time, yield func(record.Record) error) error {
	for last := ""; ; {
		ids, err := rs.exportPage(ctx, last, now, yield)
		if err != nil {
			return err
		}
		if len(ids) < pageOfUsers {
			break
		}
		last = ids[len(ids)-1]
	}
	if err := rs.exportKeys(ctx, []string{""}, now, yield); err != nil { // those of nobody
		return err
	}
	err := each(ctx, settled(rs.db.repeats), where(above("until", date(now))), options.Find(), func(k *call) error {
		r, err := k.record()
		if err != nil {
			return err
		}
		return yield(r)
	})
	if err != nil {
		return err
	}
	if err := rs.db.exportDocuments(ctx, yield); err != nil {
		return err
	}
	return rs.exportAudit(ctx, yield)
}

// exportAudit yields the events of each chain in their order, and the keys that
// came with some of them.
func (rs Records) exportAudit(ctx context.Context, yield func(record.Record) error) error {
	heads, err := Events(rs).Heads(ctx)
	if err != nil {
		return err
	}
	for _, h := range heads {
		for last, n := int64(0), pageOfRest; n == pageOfRest; {
			n = 0
			page := options.Find().SetSort(bson.D{{Key: "seq", Value: 1}}).SetLimit(pageOfRest)
			err := each(ctx, settled(rs.db.audit), where(is("chain", h.Chain), above("seq", last)), page, func(x *entry) error {
				last, n = x.Seq, n+1
				return yield(record.EventOf(x.event()))
			})
			if err != nil {
				return err
			}
		}
	}
	return each(ctx, settled(rs.db.auditKeys), where(), options.Find(), func(k *keyPart) error {
		return yield(&record.AuditKey{ID: k.ID, Sealing: k.Sealing.Data})
	})
}

// exportPage yields the users behind an id, with their sessions and all by which
// they sign in. It returns the ids of the users.
func (rs Records) exportPage(ctx context.Context, last string, now time.Time, yield func(record.Record) error) (ids []string, err error) {
	users := map[string]*account{}
	page := options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(pageOfUsers)
	err = each(ctx, settled(rs.db.users), where(above("_id", last)), page, func(a *account) error {
		ids, users[a.ID] = append(ids, a.ID), a
		return yield(record.UserOf(a.user(), a.Hash))
	})
	if err != nil || len(ids) == 0 {
		return ids, err
	}
	filter := where(condition("uid", "$in", ids), above("exp", date(now)))
	err = each(ctx, settled(rs.db.sessions), filter, options.Find(), func(d *document) error {
		a := users[d.UID]
		if !a.counts(d) {
			return nil
		}
		h, err := d.hash()
		if err != nil {
			return err
		}
		return yield(record.SessionOf(h, *d.session(a)))
	})
	if err != nil {
		return ids, err
	}
	if err := rs.exportKeys(ctx, ids, now, yield); err != nil {
		return ids, err
	}
	if err := each(ctx, settled(rs.db.factors), where(condition("_id", "$in", ids)), options.Find(), func(k *keptFactor) error {
		return yield(record.FactorOf(k.UID, k.factor()))
	}); err != nil {
		return ids, err
	}
	if err := each(ctx, settled(rs.db.identities), where(condition("uid", "$in", ids)), options.Find(), func(d *identity) error {
		return yield(record.IdentityOf(d.identity()))
	}); err != nil {
		return ids, err
	}
	return ids, each(ctx, settled(rs.db.passkeys), where(condition("uid", "$in", ids)), options.Find(), func(d *keptPasskey) error {
		return yield(record.PasskeyOf(d.passkey()))
	})
}

// exportKeys yields the API keys of users.
func (rs Records) exportKeys(ctx context.Context, ids []string, now time.Time, yield func(record.Record) error) error {
	alive := either(where(is("exp", bson.DateTime(0))), where(above("exp", date(now))))
	return each(ctx, settled(rs.db.keys), where(condition("uid", "$in", ids), alive), options.Find(), func(k *apiKey) error {
		r, err := k.record()
		if err != nil {
			return err
		}
		return yield(r)
	})
}

// settled reads of a collection only what no failover can take back.
func settled(c *driver.Collection) *driver.Collection {
	return c.Clone(options.Collection().SetReadConcern(readconcern.Majority()))
}

// each hands the documents that a filter names to do.
func each[T any](ctx context.Context, c *driver.Collection, filter bson.D, o *options.FindOptionsBuilder, do func(*T) error) error {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	rows, err := c.Find(ctx, filter, o)
	if err != nil {
		return failed("reading "+c.Name(), err)
	}
	defer rows.Close(context.WithoutCancel(ctx))
	for rows.Next(ctx) {
		v, err := decode[T](rows.Current)
		if err != nil {
			return err
		}
		if err := do(v); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return failed("reading "+c.Name(), err)
	}
	return nil
}

// hash returns that of the token that is good now.
func (d *document) hash() (session.Hash, error) {
	good := d.Token.Data
	if good == nil { // from before there were later tokens
		good = d.Hash.Data
	}
	if len(good) != len(session.Hash{}) {
		return session.Hash{}, fmt.Errorf("session %s has a hash of %d bytes", d.SID, len(good))
	}
	return session.Hash(good), nil
}

func (k *call) record() (record.Record, error) {
	if len(k.Call.Data) != 32 || len(k.Request.Data) != 32 || len(k.Token.Data) != 16 {
		return nil, errors.New("a repeated call has hashes of a wrong length")
	}
	c := repeat.Claim{
		Call: repeat.Hash(k.Call.Data), Request: repeat.Hash(k.Request.Data), Token: [16]byte(k.Token.Data), Until: k.Until.Time().UTC(),
	}
	if !k.Done {
		return record.RepeatOf(c, nil), nil
	}
	return record.RepeatOf(c, k.kept()), nil
}

// Import marks the database before its first write and takes the mark away when
// all is there. Where it fails in a database that was empty, it empties it again.
func (rs Records) Import(ctx context.Context, records iter.Seq2[record.Record, error], replace bool) error {
	if !replace {
		if err := rs.db.wantEmpty(ctx); err != nil {
			return err
		}
	}
	if err := rs.db.mark(ctx); err != nil {
		return err
	}
	defer rs.db.recent.forgetAll()
	err := rs.db.refill(ctx, records)
	if err == nil {
		return rs.db.unmark(ctx)
	}
	if !replace {
		ctx := context.WithoutCancel(ctx)
		undone := rs.db.clear(ctx)
		if undone == nil {
			undone = rs.db.unmark(ctx)
		}
		err = errors.Join(err, undone)
	}
	return err
}

func (db *DB) wantEmpty(ctx context.Context) error {
	if err := db.finished(ctx); err != nil {
		return err
	}
	of, err := db.ofDocuments(ctx)
	if err != nil {
		return err
	}
	for _, c := range append(of, db.users, db.claims, db.sessions, db.keys, db.factors, db.identities, db.passkeys, db.repeats, db.audit) {
		found, err := find[bson.M](ctx, c, where())
		if err != nil {
			return err
		}
		if found != nil {
			return record.ErrNotEmpty
		}
	}
	return nil
}

// finished returns ErrUnfinished where an import was cut off.
func (db *DB) finished(ctx context.Context) error {
	ctx, cancel := db.bound(ctx)
	defer cancel()
	found, err := find[bson.M](ctx, db.state, where(is("_id", importMark)))
	if err == nil && found != nil {
		err = record.ErrUnfinished
	}
	return err
}

func (db *DB) mark(ctx context.Context) error {
	_, err := db.state.UpdateOne(ctx, where(is("_id", importMark)), bson.M{"$set": bson.M{"at": date(time.Now())}}, options.UpdateOne().SetUpsert(true))
	if err != nil {
		return failed("noting that an import begins", err)
	}
	return nil
}

func (db *DB) unmark(ctx context.Context) error {
	if _, err := db.state.DeleteOne(ctx, where(is("_id", importMark))); err != nil {
		return failed("noting that an import has finished", err)
	}
	return nil
}

func (db *DB) clear(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	of, err := db.ofDocuments(ctx)
	if err != nil {
		return err
	}
	for _, c := range of {
		// Others than those of the store stay, as that of a shard key. Prepare
		// makes them anew and says what is against them.
		if err := (Data{db}).drop(ctx, c, nil); err != nil {
			return err
		}
	}
	for _, c := range append(of, db.users, db.claims, db.sessions, db.keys, db.factors, db.codes, db.attempts, db.identities, db.passkeys,
		db.repeats, db.declarations, db.audit, db.tips, db.auditKeys) {
		if _, err := c.DeleteMany(ctx, where()); err != nil {
			return failed("emptying "+c.Name(), err)
		}
	}
	return nil
}

// refill puts records in place of all that there is.
func (db *DB) refill(ctx context.Context, records iter.Seq2[record.Record, error]) error {
	if err := db.clear(ctx); err != nil {
		return err
	}
	db.sealer.anew.Store(true)
	in := &intake{db: db, now: time.Now(), holders: map[string]bool{}, declared: map[string]*data.Collection{}, heads: map[string]audit.Head{}}
	for r, err := range records {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if err := in.add(ctx, r); err != nil {
			return err
		}
	}
	if err := in.flush(ctx); err != nil {
		return err
	}
	for _, h := range in.heads {
		if err := db.noteHead(ctx, h); err != nil {
			return err
		}
	}
	past, err := db.pastKeys(ctx)
	if err == nil {
		db.sealer.past.Store(&past)
	}
	return err
}

// An intake gathers documents, so that many go in one write.
type intake struct {
	db                                     *DB
	now                                    time.Time
	claims, users, sessions, keys, repeats []any
	factors, identities, passkeys          []any
	events, auditKeys                      []any
	owners                                 map[string]int64 // epochs that sessions want of their users
	holders                                map[string]bool  // users that keys, second factors, identities and passkeys want
	heads                                  map[string]audit.Head

	declared  map[string]*data.Collection
	documents []any // of one collection
	of        string
	bytes     int // of the documents
}

func (in *intake) add(ctx context.Context, r record.Record) error {
	switch r := r.(type) {
	case *record.User:
		in.users = append(in.users, accountOf(r.User(), r.PasswordHash))
		for _, key := range []string{r.EmailKey, r.Phone} {
			if key != "" {
				in.claims = append(in.claims, &claim{Key: key, UID: r.ID, At: date(in.now), Mark: bson.NewObjectID()})
			}
		}
	case *record.Session:
		d := documentOf(r.Session())
		// It stays long enough to be looked at after the import, even where it expires meanwhile.
		d.Purge = max(d.Purge, date(in.now.Add(24*time.Hour)))
		in.sessions = append(in.sessions, d)
		if in.owners == nil {
			in.owners = map[string]int64{}
		}
		if epoch, ok := in.owners[r.UserID]; ok && epoch != r.Epoch {
			return fmt.Errorf("taking a session: the sessions of user %s are of two epochs", r.UserID)
		}
		in.owners[r.UserID] = r.Epoch
	case *record.Key:
		h, k := r.Key()
		in.keys = append(in.keys, keyOf(h, k))
		if k.UserID != "" {
			in.holders[k.UserID] = true
		}
	case *record.Factor:
		in.factors = append(in.factors, keptOf(r.UserID, r.Factor()))
		in.holders[r.UserID] = true
	case *record.Identity:
		in.identities = append(in.identities, identityDocument(r.Identity()))
		in.holders[r.UserID] = true
	case *record.Passkey:
		in.passkeys = append(in.passkeys, passkeyDocument(r.Passkey()))
		in.holders[r.UserID] = true
	case *record.Repeat:
		c, a := r.Repeat()
		k := callOf(c, c.Until)
		if a != nil {
			k.keep(*a)
		}
		in.repeats = append(in.repeats, k)
	case *record.Event:
		if r.Seq <= in.heads[r.Chain].Seq {
			return fmt.Errorf("taking an event: %s comes behind a later one", r.ID)
		}
		in.events = append(in.events, entryOf(r.Event))
		in.heads[r.Chain] = r.Head()
	case *record.AuditKey:
		in.auditKeys = append(in.auditKeys, &keyPart{ID: r.ID, Sealing: binary(r.Sealing)})
	case *record.Collection:
		return in.declare(ctx, r)
	case *record.Document:
		return in.document(ctx, r)
	default:
		return fmt.Errorf("taking a %s: there is no collection for it", r.Kind())
	}
	if len(in.users)+len(in.sessions)+len(in.keys)+len(in.factors)+len(in.identities)+len(in.passkeys)+len(in.repeats)+len(in.events) < pageOfRest {
		return nil
	}
	return in.flush(ctx)
}

// flush writes what was gathered: claims before their users, and users before
// their sessions and keys.
func (in *intake) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pageTime)
	defer cancel()
	for _, b := range []struct {
		into *driver.Collection
		some *[]any
	}{
		{in.db.claims, &in.claims}, {in.db.users, &in.users}, {in.db.sessions, &in.sessions}, {in.db.keys, &in.keys}, {in.db.factors, &in.factors},
		{in.db.identities, &in.identities}, {in.db.passkeys, &in.passkeys},
		{in.db.repeats, &in.repeats}, {in.db.shelf(in.of), &in.documents}, {in.db.audit, &in.events}, {in.db.auditKeys, &in.auditKeys},
	} {
		if b.into == in.db.sessions {
			if err := cmp.Or(in.proveOwners(ctx), in.proveHolders(ctx)); err != nil {
				return err
			}
		}
		if len(*b.some) == 0 {
			continue
		}
		if _, err := b.into.InsertMany(ctx, *b.some); driver.IsDuplicateKeyError(err) {
			return fmt.Errorf("filling %s: two records have the same key", b.into.Name())
		} else if err != nil {
			return failed("filling "+b.into.Name(), err)
		}
		*b.some = (*b.some)[:0]
	}
	in.bytes = 0
	return nil
}

// proveOwners checks that the sessions that were gathered will count.
func (in *intake) proveOwners(ctx context.Context) error {
	if len(in.owners) == 0 {
		return nil
	}
	ids := make([]string, 0, len(in.owners))
	for id := range in.owners {
		ids = append(ids, id)
	}
	o := options.Find().SetProjection(bson.M{"epoch": 1, "disabled": 1})
	err := each(ctx, in.db.users, where(condition("_id", "$in", ids)), o, func(a *account) error {
		if !a.Disabled && a.Epoch == in.owners[a.ID] {
			delete(in.owners, a.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id := range in.owners {
		return fmt.Errorf("taking a session: it counts for nothing, as its user %s is missing, disabled, or of another epoch", id)
	}
	return nil
}

// proveHolders checks that the users of the keys, second factors, identities and
// passkeys that were gathered are there.
func (in *intake) proveHolders(ctx context.Context) error {
	if len(in.holders) == 0 {
		return nil
	}
	o := options.Find().SetProjection(bson.M{"_id": 1})
	ids := slices.Collect(maps.Keys(in.holders))
	if err := each(ctx, in.db.users, where(condition("_id", "$in", ids)), o, func(a *account) error {
		delete(in.holders, a.ID)
		return nil
	}); err != nil {
		return err
	}
	for id := range in.holders {
		return fmt.Errorf("taking an API key or a way to sign in: its user %s is missing", id)
	}
	return nil
}

// Count asks for what the database remembers of its collections.
func (rs Records) Count(ctx context.Context) (map[string]int, error) {
	ctx, cancel := context.WithTimeout(ctx, max(rs.db.budget, 10*time.Second))
	defer cancel()
	counts := map[string]int{}
	for kind, c := range map[string]*driver.Collection{
		"user": rs.db.users, "session": rs.db.sessions, "key": rs.db.keys, "factor": rs.db.factors, "identity": rs.db.identities,
		"passkey": rs.db.passkeys, "repeat": rs.db.repeats, "event": rs.db.audit, "auditKey": rs.db.auditKeys,
	} {
		n, err := c.EstimatedDocumentCount(ctx)
		if err != nil {
			return nil, fmt.Errorf("counting %s: %w: %w", c.Name(), engine.ErrUnavailable, err)
		}
		counts[kind] = int(n)
	}
	of, err := rs.db.documentCounts(ctx)
	counts["collection"], counts["document"] = len(of), 0
	for _, n := range of {
		counts["document"] += n
	}
	return counts, err
}
