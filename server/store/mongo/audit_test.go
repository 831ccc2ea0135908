package mongo

import (
	"context"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes/audit"
)

func appendEvents(t *testing.T, db *DB, n int) (last audit.Event) {
	t.Helper()
	for range n {
		var err error
		if last, err = (Events{db}).Append(t.Context(), audit.Event{Kind: audit.SignIn, Subject: "ada", Outcome: audit.Done}); err != nil {
			t.Fatalf("Append() = %v, want nil", err)
		}
	}
	return last
}

// flaws returns what Verify tells of a log with so many events, as text.
func flaws(t *testing.T, db *DB, events int) string {
	t.Helper()
	r, err := audit.Verify(t.Context(), Events{db})
	if err != nil || r.Events != events {
		t.Fatalf("Verify() = %+v, %v, want %d events", r, err, events)
	}
	var all []string
	for _, f := range r.Flaws {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

func auditKey(t *testing.T, letter string) audit.Key {
	t.Helper()
	k, err := audit.NewKey([]byte(strings.Repeat(letter, audit.MinKey)))
	if err != nil {
		t.Fatalf("NewKey() = %v, want nil", err)
	}
	return k
}

// openKeyed opens a database whose events a key seals.
func openKeyed(t *testing.T, name string) *DB {
	t.Helper()
	db, err := open(t.Context(), settingsOf(t, serverURI(t)).SetTimeout(patience), name, auditKey(t, "a"))
	if err != nil {
		t.Fatalf("open(%s) = %v, want nil", name, err)
	}
	t.Cleanup(func() {
		_ = db.users.Database().Drop(context.Background()) // a database of its own, or dropped before
		_ = db.Close()
	})
	return db
}

func TestWhoeverEditsTheCollectionIsTold(t *testing.T) {
	set := func(field string, value any) func(*testing.T, *DB, string) {
		return func(t *testing.T, db *DB, chain string) {
			_, err := db.audit.UpdateOne(t.Context(), where(is("_id", audit.ID(chain, 3))), bson.M{"$set": bson.M{field: value}})
			if err != nil {
				t.Fatalf("UpdateOne() = %v, want nil", err)
			}
		}
	}
	remove := func(from, to int) func(*testing.T, *DB, string) {
		return func(t *testing.T, db *DB, chain string) {
			if _, err := db.audit.DeleteMany(t.Context(), where(is("chain", chain), above("seq", from-1), upTo("seq", to))); err != nil {
				t.Fatalf("DeleteMany() = %v, want nil", err)
			}
		}
	}
	for name, tt := range map[string]struct {
		edit   func(t *testing.T, db *DB, chain string)
		events int
		want   string
	}{
		"nothing":   {func(*testing.T, *DB, string) {}, 8, ""},
		"a subject": {set("subject", "eve"), 8, ":3: the event of"},
		"a detail":  {set("details", []detail{{"a", "b"}}), 8, ":3: the event of"},
		"a place":   {set("seq", int64(20)), 8, ":3: 1 event is missing"},
		"removed":   {remove(2, 3), 6, ":2: 2 events are missing"},
		"cut":       {remove(4, 9), 5, ":4: the end was cut off: 3 events are missing"},
		"all of it": {remove(1, 9), 2, ":1: the end was cut off: 6 events are missing"},
		"with its head": {func(t *testing.T, db *DB, chain string) {
			remove(1, 9)(t, db, chain)
			if _, err := db.tips.DeleteOne(t.Context(), where(is("_id", chain))); err != nil {
				t.Fatalf("DeleteOne() = %v, want nil", err)
			}
		}, 2, ":1: the end was cut off: 6 events are missing"},
	} {
		t.Run(name, func(t *testing.T) {
			name := newName()
			first := openKeyed(t, name)
			chain := appendEvents(t, first, 5).Chain
			first.Close() // which notes the head
			second := openKeyed(t, name)
			appendEvents(t, second, 1)
			tt.edit(t, second, chain)
			if got := flaws(t, second, tt.events); (got == "") != (tt.want == "") || !strings.Contains(got, chain+tt.want) && tt.want != "" {
				t.Errorf("Verify() = %q, want %q of %s", got, tt.want, chain)
			}
		})
	}
}

func TestManyProcessesWriteManyChainsIntoOneLog(t *testing.T) {
	name := newName()
	a, b := openKeyed(t, name), openKeyed(t, name)
	one, two := appendEvents(t, a, 3), appendEvents(t, b, 3)
	appendEvents(t, a, 2)
	if one.Chain == two.Chain {
		t.Errorf("two processes write the chain %s, want one each", one.Chain)
	}
	if got := flaws(t, a, 10); got != "" { // each chain begins with an event of its own
		t.Errorf("Verify() = %q, want nothing", got)
	}
}

func TestABatchThatFailsBeginsAnotherChain(t *testing.T) {
	db := openKeyed(t, newName())
	last := appendEvents(t, db, 3)
	// The next place is taken, as it is where a write arrived whose answer did not.
	taken := entryOf(last)
	taken.ID = audit.ID(last.Chain, last.Seq+1)
	if _, err := db.audit.InsertOne(t.Context(), bson.M{"_id": taken.ID, "chain": "another"}); err != nil {
		t.Fatalf("InsertOne() = %v, want nil", err)
	}
	if _, err := (Events{db}).Append(t.Context(), audit.Event{Kind: audit.SignIn}); err == nil {
		t.Error("Append() to a place that is taken = nil, want an error")
	}
	next := appendEvents(t, db, 2)
	if next.Chain == last.Chain {
		t.Errorf("Append() goes on in %s, want another chain", next.Chain)
	}
	if _, err := db.audit.DeleteOne(t.Context(), where(is("_id", taken.ID))); err != nil {
		t.Fatalf("DeleteOne() = %v, want nil", err)
	}
	if got := flaws(t, db, 7); got != "" {
		t.Errorf("Verify() = %q, want nothing", got)
	}
	// The new chain knows the old one's end.
	if _, err := db.audit.DeleteOne(t.Context(), where(is("_id", last.ID))); err != nil {
		t.Fatalf("DeleteOne() = %v, want nil", err)
	}
	if got := flaws(t, db, 6); !strings.Contains(got, last.ID+": the end was cut off") {
		t.Errorf("Verify() of a log without %s = %q, want it told", last.ID, got)
	}
}

func TestWithoutAKeyTheLogSaysSo(t *testing.T) {
	db := openTest(t, newName(), nil)
	appendEvents(t, db, 2)
	r, err := audit.Verify(t.Context(), Events{db})
	if err != nil || len(r.Flaws) > 0 || r.Unkeyed != 3 {
		t.Errorf("Verify() = %+v, %v, want 3 events without a key and no flaw", r, err)
	}
}
