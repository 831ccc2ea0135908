package mongo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/event"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/nodes/code"
	"sluice/nodes/factor"
	"sluice/nodes/limit"
	"sluice/nodes/repeat"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// A recorder keeps the commands that the driver sends.
type recorder struct {
	mu       sync.Mutex
	commands []bson.Raw // guarded by mu
}

func (r *recorder) monitor() *event.CommandMonitor {
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.commands = append(r.commands, slices.Clone(e.Command))
	}}
}

// taken returns what was recorded, and forgets it.
func (r *recorder) taken() []bson.Raw {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.commands
	r.commands = nil
	return taken
}

// hostile is a value that would be an operator, if it were read as one.
const hostile = `{"$gt": ""}`

func TestWhatTheServerIsTold(t *testing.T) {
	r := &recorder{}
	db := openTest(t, newName(), r.monitor())
	r.taken()
	s, now, ctx := db.Stores(), time.Now(), t.Context()
	id, key, next, yes := "$where", "$ne@example.com", "$set@example.com", true
	h, made := newSession(user.ProvenID{ID: id})
	_, one := newSession(user.ProvenID{ID: id})
	made.IP, made.AccessGroupKeys = hostile, []string{"$inc", hostile}
	made.UserAgent.Family = "$family"
	c := repeat.NewClaim(repeat.Hash{1}, repeat.Hash{2}, now.Add(time.Minute))

	for _, step := range []struct {
		name string
		hot  bool // each command names one document by its _id
		call func() error
	}{
		{"sign-up", true, func() error {
			return s.Users.Create(ctx, user.User{ID: id, Email: key, EmailKey: key, Name: hostile}, hostile)
		}},
		{"find by address", true, func() error { _, err := s.Users.ByEmail(ctx, key); return err }},
		{"find by id", true, func() error { _, err := s.Users.ByID(ctx, id); return err }},
		{"move", true, func() error {
			_, err := s.Users.Update(ctx, id, user.Change{Email: &next, EmailKey: &next}, now)
			return err
		}},
		{"hash", true, func() error { _, err := s.Passwords.Hash(ctx, id); return err }},
		{"set hash", true, func() error { return s.Passwords.SetHash(ctx, id, hostile, "$hash") }},
		{"sign-in", true, func() error { return s.Sessions.Create(ctx, h, made) }},
		{"check", true, func() error { _, err := s.Sessions.Get(ctx, h, now); return err }},
		{"touch", true, func() error { return db.touch(ctx, use{hash: h, at: now.Add(30 * time.Minute)}) }},
		{"groups", true, func() error {
			_, err := s.Sessions.Update(ctx, session.Which{Hash: h}, session.Groups{Add: []string{"$push"}}, now)
			return err
		}},
		{"a new token", true, func() error {
			_, err := s.Sessions.Renew(ctx, h, session.Renewal{Hash: session.Hash{3}, AuthenticatedDtm: now}, now)
			return err
		}},
		{"check of a new token", true, func() error { _, err := s.Sessions.Get(ctx, session.Hash{3}, now); return err }},
		{"a newer token", true, func() error {
			_, err := s.Sessions.Renew(ctx, session.Hash{3}, session.Renewal{Hash: session.Hash{4}}, now)
			return err
		}},
		{"sign-in within a number", false, func() error {
			_, err := s.Sessions.CreateWithin(ctx, session.Hash{5}, one, 2)
			return err
		}},
		{"list", false, func() error { _, err := s.Sessions.List(ctx, id, "$a", 10, now); return err }},
		{"sign-out of the others", false, func() error {
			_, err := s.Sessions.End(ctx, session.Which{UserID: id, Except: made.ID}, now)
			return err
		}},
		{"groups by id", false, func() error {
			_, err := s.Sessions.Update(ctx, session.Which{UserID: id, ID: one.ID}, session.Groups{Add: []string{"$push"}}, now)
			return err
		}},
		{"sign-out by id", false, func() error {
			_, err := s.Sessions.End(ctx, session.Which{UserID: id, ID: "$sid"}, now)
			return err
		}},
		{"sign-out", true, func() error { _, err := s.Sessions.End(ctx, session.Which{Hash: h}, now); return err }},
		{"end of all, its one write", true, func() error { _, err := db.endAll(ctx, id, "", now); return err }},
		{"sign-out from everywhere", false, func() error { _, err := s.Sessions.End(ctx, session.Which{UserID: id}, now); return err }},
		{"disable", false, func() error { _, err := s.Users.Update(ctx, id, user.Change{Disabled: &yes}, now); return err }},
		{"claim", true, func() error { _, err := s.Repeats.Claim(ctx, c, now); return err }},
		{"keep", true, func() error {
			a := engine.Answer{Status: 200, Headers: []engine.Header{{Name: "$h", Value: hostile}}, Body: []byte(hostile)}
			return s.Repeats.Keep(ctx, c, a, now.Add(time.Hour), now)
		}},
		{"make a key", true, func() error {
			return s.Keys.Create(ctx, h, apikey.Key{ID: "$kid", Name: hostile, Scope: apikey.Only, Endpoints: []string{hostile}, CreationDtm: now})
		}},
		{"check of a key", true, func() error { _, err := s.Keys.Get(ctx, h, now); return err }},
		{"use of a key", true, func() error { return db.touchKey(ctx, use{hash: h, at: now, key: true}) }},
		{"list keys", false, func() error { _, err := s.Keys.List(ctx, "$uid", "$a", 10); return err }},
		{"suspend a key", false, func() error {
			_, err := s.Keys.Update(ctx, apikey.Which{ID: "$kid"}, apikey.Change{Suspended: &yes, Name: &key})
			return err
		}},
		{"end a key", false, func() error { return s.Keys.End(ctx, apikey.Which{ID: "$kid"}) }},
		{"delete the user", false, func() error { return s.Users.Delete(ctx, id, now) }},
		{"release", true, func() error { return s.Repeats.Release(ctx, c) }},
	} {
		if err := step.call(); err != nil {
			t.Fatalf("%s = %v, want nil", step.name, err)
		}
		told := r.taken()
		if len(told) == 0 {
			t.Errorf("%s told the server nothing", step.name)
		}
		for _, command := range told {
			checkCommand(t, step.name, command, step.hot)
		}
	}
}

func TestWhatTheServerIsToldOfCodesAndFactors(t *testing.T) {
	r := &recorder{}
	db := openTest(t, newName(), r.monitor())
	s, now, ctx := db.Stores(), time.Now(), t.Context()
	const id = "$where"
	c := code.Code{
		Slot: code.Slot{1}, Hash: code.Hash{2}, Digits: true, Left: 5, CreatedDtm: now, ExpiresDtm: now.Add(time.Minute), UserID: id, To: hostile,
	}
	secret, recovery := []byte(hostile), []factor.Hash{{4}, {5}}
	r.taken()
	for _, step := range []struct {
		name string
		want error
		call func() error
	}{
		{"put a code", nil, func() error { return s.Codes.Put(ctx, c, now) }},
		{"a wrong code", code.ErrNoCode, func() error { _, err := s.Codes.Take(ctx, c.Slot, code.Hash{3}, now); return err }},
		{"the right code", nil, func() error { _, err := s.Codes.Take(ctx, c.Slot, c.Hash, now); return err }},
		{"enroll", nil, func() error { return s.Factors.Enroll(ctx, id, secret) }},
		{"try", nil, func() error { _, err := s.Factors.Try(ctx, id, now); return err }},
		{"use", nil, func() error { return s.Factors.Use(ctx, id, secret, 7) }},
		{"ask for a factor", nil, func() error { _, err := s.Factors.Active(ctx, id); return err }},
		{"recovery codes", nil, func() error { return s.Factors.SetRecovery(ctx, id, recovery) }},
		{"recover", nil, func() error { return s.Factors.Recover(ctx, id, recovery[0]) }},
		{"recover again", factor.ErrUsed, func() error { return s.Factors.Recover(ctx, id, recovery[0]) }},
		{"drop the factor", nil, func() error { return s.Factors.Delete(ctx, id) }},
	} {
		if err := step.call(); !errors.Is(err, step.want) {
			t.Fatalf("%s = %v, want %v", step.name, err, step.want)
		}
		told := r.taken()
		if len(told) == 0 {
			t.Errorf("%s told the server nothing", step.name)
		}
		for _, command := range told {
			checkCommand(t, step.name, command, true)
		}
	}
}

func TestCountersAreOneDocumentOnOneShard(t *testing.T) {
	r := &recorder{}
	db := openTest(t, newName(), r.monitor())
	ls, now, k := Limits{db}, time.Now(), limit.KeyOf("a")
	rate := limit.Rate{Count: 2, Each: time.Hour}
	r.taken()
	for range 3 { // the last one is too many
		if _, err := ls.Take(t.Context(), k, rate, now); err != nil {
			t.Fatalf("Take() = %v, want nil", err)
		}
	}
	_, err := ls.Until(t.Context(), k, now)
	if err := errors.Join(err, ls.Give(t.Context(), k, rate, now), ls.Set(t.Context(), k, now.Add(time.Hour), now), ls.Set(t.Context(), k, now, now)); err != nil {
		t.Fatalf("Until(), Give() and Set() = %v, want nil", err)
	}
	told := r.taken()
	if len(told) < 7 {
		t.Errorf("the server was told %d commands, want 7 or more", len(told))
	}
	for _, command := range told {
		for _, path := range [][]string{{"filter"}, {"query"}, {"updates", "0", "q"}, {"deletes", "0", "q"}} {
			if f, err := command.LookupErr(path...); err == nil && !oneShard(f.Document()) {
				t.Errorf("%v names no _id", command)
			}
		}
		if w, err := command.LookupErr("writeConcern", "w"); err == nil && w.AsInt64() != 1 {
			t.Errorf("%v waits for more than the primary", command)
		}
	}
}

func TestStrictChecksAskAMajority(t *testing.T) {
	needFerret(t)
	for level, want := range map[string]string{"local": "local", "linearizable": "linearizable"} {
		r := &recorder{}
		o := settingsOf(t, serverURI(t)+"?readConcernLevel="+level)
		db := openWith(t, o.SetTimeout(patience).SetMonitor(r.monitor()), newName())
		u := addUser(t, db, "ada@example.com")
		h, s := newSession(user.ProvenID{ID: u.ID})
		if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
			t.Fatalf("Create() = %v, want nil", err)
		}
		r.taken()
		if _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); err != nil {
			t.Fatalf("Get() = %v, want nil", err)
		}
		for _, command := range r.taken() {
			if got, _ := command.Lookup("readConcern", "level").StringValueOK(); got != want {
				t.Errorf("session check with %s sent %v, want read concern %s", level, command, want)
			}
		}
	}
}

// checkCommand fails the test where a command breaks a rule.
func checkCommand(t *testing.T, step string, command bson.Raw, hot bool) {
	t.Helper()
	elements, err := command.Elements()
	if err != nil {
		t.Fatalf("%s: Elements(%v) = %v, want nil", step, command, err)
	}
	kind := elements[0].Key()
	var filters, written []bson.Raw
	switch kind {
	case "find":
		filters = append(filters, command.Lookup("filter").Document())
		checkSort(t, step, command)
	case "aggregate":
		filters = append(filters, checkCount(t, step, command))
	case "findAndModify":
		filters = append(filters, command.Lookup("query").Document())
		if removes, _ := command.Lookup("remove").BooleanOK(); !removes {
			written = append(written, command.Lookup("update").Document())
		}
	case "update":
		for _, u := range documents(t, command.Lookup("updates")) {
			filters = append(filters, u.Lookup("q").Document())
			written = append(written, u.Lookup("u").Document())
			if _, err := u.LookupErr("upsert"); err == nil {
				t.Errorf("%s: %v upserts, want it to change only what is there", step, command)
			}
		}
	case "delete":
		for _, d := range documents(t, command.Lookup("deletes")) {
			filters = append(filters, d.Lookup("q").Document())
		}
	case "insert":
		written = documents(t, command.Lookup("documents"))
	case "endSessions", "killCursors", "getMore":
		return
	default:
		t.Errorf("%s: unexpected command %v", step, command)
	}
	if kind != "find" && kind != "aggregate" {
		w, _ := command.Lookup("writeConcern", "w").StringValueOK()
		j, _ := command.Lookup("writeConcern", "j").BooleanOK()
		if w != "majority" || !j {
			t.Errorf("%s: %v has write concern w %q and j %t, want majority and true", step, command, w, j)
		}
	}
	for _, f := range filters {
		checkFilter(t, step, f)
		if !oneShard(f) && (hot || !byIndex(elements[0].Value().StringValue(), f)) {
			t.Errorf("%s: filter %v names no _id, so that all shards are asked", step, f)
		}
	}
	for _, w := range written {
		checkWritten(t, step, w)
	}
}

// oneShard tells whether a filter is of one document, on one shard.
func oneShard(f bson.Raw) bool {
	_, err := f.LookupErr("_id", "$eq")
	return err == nil
}

// byIndex tells whether a filter that all shards are asked begins with a field of
// an index. By what documents are found the flows say.
func byIndex(collection string, f bson.Raw) bool {
	if strings.HasPrefix(collection, prefix) {
		return true
	}
	for _, field := range []string{"uid", "kid"} {
		if _, err := f.LookupErr(field, "$eq"); err == nil {
			return true
		}
	}
	return false
}

func documents(t *testing.T, v bson.RawValue) (all []bson.Raw) {
	t.Helper()
	values, err := v.Array().Values()
	if err != nil {
		t.Fatalf("Values(%v) = %v, want nil", v, err)
	}
	for _, v := range values {
		all = append(all, v.Document())
	}
	return all
}

// checkSort fails the test where documents are ordered by anything but fields.
func checkSort(t *testing.T, step string, command bson.Raw) {
	t.Helper()
	by, _ := command.Lookup("sort").DocumentOK()
	elements, _ := by.Elements()
	for _, e := range elements {
		if direction, ok := e.Value().AsInt64OK(); strings.Contains(e.Key(), "$") || !ok || direction != 1 && direction != -1 {
			t.Errorf("%s: sort %v has %v, want a field and a direction", step, by, e)
		}
	}
}

// checkCount returns the filter of an aggregation, and fails the test where it
// does more than count.
func checkCount(t *testing.T, step string, command bson.Raw) (filter bson.Raw) {
	t.Helper()
	for i, stage := range documents(t, command.Lookup("pipeline")) {
		e, err := stage.IndexErr(0)
		switch {
		case err == nil && i == 0 && e.Key() == "$match":
			filter = e.Value().Document()
		case err == nil && (e.Key() == "$limit" || e.Key() == "$group"):
		default:
			t.Errorf("%s: aggregation %v has the stage %v, want it to count", step, command, stage)
		}
	}
	return filter
}

// checkFilter fails the test unless a filter is conditions of one operator and
// one scalar, or list of scalars, each, at most joined by $and, $or and $nor.
func checkFilter(t *testing.T, step string, filter bson.Raw) {
	t.Helper()
	elements, err := filter.Elements()
	for _, e := range elements {
		if slices.Contains([]string{"$and", "$or", "$nor"}, e.Key()) {
			for _, f := range documents(t, e.Value()) {
				checkFilter(t, step, f)
			}
			continue
		}
		condition, _ := e.Value().DocumentOK()
		operators, _ := condition.Elements()
		if strings.HasPrefix(e.Key(), "$") || len(operators) != 1 || !strings.HasPrefix(operators[0].Key(), "$") {
			t.Errorf("%s: filter %v has %v, want one operator to a field", step, filter, e)
			continue
		}
		values := []bson.RawValue{operators[0].Value()}
		switch operators[0].Key() {
		case "$in", "$nin":
			values, _ = values[0].Array().Values()
		case "$elemMatch":
			values[0], err = values[0].Document().LookupErr("$eq")
		}
		if err != nil || slices.ContainsFunc(values, func(v bson.RawValue) bool { return !isScalar(v) }) {
			t.Errorf("%s: filter %v has %v, want scalars", step, filter, e)
		}
	}
}

func isScalar(v bson.RawValue) bool {
	switch v.Type {
	case bson.TypeString, bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeBoolean, bson.TypeDateTime, bson.TypeBinary, bson.TypeObjectID, bson.TypeNull:
		return true
	}
	return false
}

// changing are the operators of changes.
var changing = []string{"$set", "$inc", "$unset", "$push", "$addToSet", "$pullAll", "$pull", "$max"}

// checkWritten fails the test where a document, or what an update sets, has a
// key that is an operator. The items of a push are a list below a word of its own.
func checkWritten(t *testing.T, step string, doc bson.Raw) {
	t.Helper()
	elements, _ := doc.Elements()
	for _, e := range elements {
		value, _ := e.Value().DocumentOK()
		if strings.HasPrefix(e.Key(), "$") && !slices.Contains(changing, e.Key()) {
			t.Errorf("%s: %v has the operator %s", step, doc, e.Key())
		}
		if e.Key() == "$push" || e.Key() == "$addToSet" {
			value = itemsOf(t, value)
		}
		if !plain(value) {
			t.Errorf("%s: %v has an operator below %s", step, doc, e.Key())
		}
	}
}

// itemsOf is what is pushed, without the $each of each list.
func itemsOf(t *testing.T, pushed bson.Raw) bson.Raw {
	t.Helper()
	lists := bson.D{}
	elements, _ := pushed.Elements()
	for _, e := range elements {
		of, _ := e.Value().DocumentOK()
		if first, err := of.IndexErr(0); err != nil || first.Key() != "$each" || first.Value().Type != bson.TypeArray {
			t.Errorf("push %v has %v, want a list of items", pushed, e)
		} else {
			lists = append(lists, bson.E{Key: e.Key(), Value: first.Value()})
		}
	}
	raw, err := bson.Marshal(lists)
	if err != nil {
		t.Fatalf("Marshal(%v) = %v, want nil", lists, err)
	}
	return raw
}

// plain tells whether no key in a document, at any depth, begins with $.
func plain(doc bson.Raw) bool {
	elements, _ := doc.Elements()
	return !slices.ContainsFunc(elements, func(e bson.RawElement) bool {
		inner, ok := e.Value().DocumentOK()
		if !ok {
			list, _ := e.Value().ArrayOK()
			inner = bson.Raw(list)
		}
		return strings.HasPrefix(e.Key(), "$") || !plain(inner)
	})
}
