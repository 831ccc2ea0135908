package mongo

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/nodes/data"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store/mongo/mongotest"
)

// These tests show what only MongoDB itself can, and run where
// [mongotest.URIVar] names one.

// stepDownVar allows a test to depose primaries, which is felt by all who use
// the replica set.
const stepDownVar = "MONGODB_STEPDOWN"

// openReal opens a database of the MongoDB that there is.
func openReal(t *testing.T) *DB {
	t.Helper()
	if os.Getenv(mongotest.URIVar) == "" {
		t.Skip(mongotest.URIVar + " is not set: FerretDB cannot show this")
	}
	return openTest(t, newName(), nil)
}

func TestRealExpiredSessionsAreDeletedInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: takes up to two minutes")
	}
	db := openReal(t)
	u := addUser(t, db, "ada@example.com")
	h, s := newSession(user.ProvenID{ID: u.ID})
	s.ExpiresDtm = time.Now().Add(-2 * grace)
	if err := (Sessions{db}).Create(t.Context(), h, s); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	live, made := newSession(user.ProvenID{ID: u.ID})
	if err := (Sessions{db}).Create(t.Context(), live, made); err != nil {
		t.Fatalf("Create() = %v, want nil", err)
	}
	var n int64
	for end := time.Now().Add(150 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
		var err error
		if n, err = db.sessions.CountDocuments(t.Context(), where(is("uid", u.ID))); err != nil {
			t.Fatalf("CountDocuments() = %v, want nil", err)
		}
		if n == 1 {
			break
		}
	}
	if _, err := (Sessions{db}).Get(t.Context(), live, time.Now()); n != 1 || err != nil {
		t.Errorf("%d sessions are left, and the live one is %v, want 1 and nil", n, err)
	}
}

// planned are the stages of a plan.
func planned(plan bson.Raw, stages []string) []string {
	elements, _ := plan.Elements()
	for _, e := range elements {
		if stage, ok := e.Value().StringValueOK(); ok && e.Key() == "stage" {
			stages = append(stages, stage)
		}
		if inner, ok := e.Value().DocumentOK(); ok {
			stages = planned(inner, stages)
		} else if list, ok := e.Value().ArrayOK(); ok {
			stages = planned(bson.Raw(list), stages)
		}
	}
	return stages
}

func TestRealQueriesThatAnIndexServesReadNoMoreThanTheyGive(t *testing.T) {
	const documents, limit = 2000, 10
	db := openReal(t)
	ds, c, now := Data{db}, orders(), time.Now().UTC()
	if err := ds.Prepare(t.Context(), []*data.Collection{c}); err != nil {
		t.Fatalf("Prepare() = %v, want nil", err)
	}
	var rows []any
	for n := range documents {
		d := hostileOrder(t, fmt.Sprintf("%05d", n), now)
		d.Body = fmt.Appendf(nil, `{"owner":"u%d","sku":"s%05d","due":%q}`, n%4, n, now.Add(time.Duration(n/8)*time.Second).Format(data.TimeLayout))
		r, err := rowOf(c, d)
		if err != nil {
			t.Fatalf("rowOf() = %v, want nil", err)
		}
		text, err := r.insert()
		if err != nil {
			t.Fatalf("insert() = %v, want nil", err)
		}
		rows = append(rows, text)
	}
	if _, err := ds.of(c).InsertMany(t.Context(), rows); err != nil {
		t.Fatalf("InsertMany() = %v, want nil", err)
	}
	owner := data.Filter{Op: data.Eq, Path: "owner", Value: "u1"}
	middle := now.Add(documents / 16 * time.Second)
	for name, q := range map[string]data.Query{
		"unique":                {Filter: data.Filter{Op: data.Eq, Path: "sku", Value: "s00500"}},
		"prefix":                {Filter: data.Filter{Op: data.Prefix, Path: "sku", Value: "s0050"}, Sort: []data.Sort{{Path: "sku"}}},
		"range":                 {Filter: data.Filter{Of: []data.Filter{owner, {Op: data.Gt, Path: "due", Value: middle}}}, Sort: []data.Sort{{Path: "due"}}},
		"sorted":                {Filter: owner, Sort: []data.Sort{{Path: "due"}}},
		"sorted down":           {Filter: owner, Sort: []data.Sort{{Path: "due", Down: true}}},
		"next page":             {Filter: owner, Sort: []data.Sort{{Path: "due"}}, After: []any{middle, "01001"}},
		"next page down":        {Filter: owner, Sort: []data.Sort{{Path: "due", Down: true}}, After: []any{middle, "01001"}},
		"all in order":          {Sort: []data.Sort{{Path: "sku"}}},
		"all in order, onwards": {Sort: []data.Sort{{Path: "sku"}}, After: []any{"s01000", "01000"}},
	} {
		filter, err := filterOf(q.Filter)
		if err != nil {
			t.Fatalf("filterOf(%s) = %v, want nil", name, err)
		}
		by, err := orderOf(q)
		if err != nil {
			t.Fatalf("orderOf(%s) = %v, want nil", name, err)
		}
		if len(q.After) > 0 {
			filter = by.behind(filter)
		}
		find := bson.D{{Key: "find", Value: prefix + c.Name}, {Key: "filter", Value: filter}, {Key: "sort", Value: by.sort()}, {Key: "limit", Value: limit}}
		plan, err := db.users.Database().RunCommand(t.Context(), bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "executionStats"}}).Raw()
		if err != nil {
			t.Fatalf("explain(%s) = %v, want nil", name, err)
		}
		read, ok := plan.Lookup("executionStats", "totalDocsExamined").AsInt64OK()
		stages := strings.Join(planned(plan.Lookup("queryPlanner", "winningPlan").Document(), nil), " ")
		if !ok || read > 4*limit || strings.Contains(stages, "COLLSCAN") {
			t.Errorf("%s reads %d documents for %d, by %s, want it to go by an index", name, read, limit, stages)
		}
	}
}

func TestRealChangesElsewhereAreToldToACache(t *testing.T) {
	there := openReal(t)
	name := there.users.Database().Name()
	here := openTest(t, name, nil)
	if err := here.keepRecent(t.Context(), time.Minute); err != nil {
		t.Fatalf("keepRecent() = %v, want nil", err)
	}
	p := &pair{here: here, there: there, told: &recorder{}, now: time.Now()}
	var longest time.Duration
	for round := range 20 {
		p.change(t, there.Stores(), func(name string, h session.Hash, seen func(*session.Session) bool) {
			made := time.Now()
			for !knows(t, here, h, seen) && time.Since(made) < 30*time.Second {
				time.Sleep(time.Millisecond)
			}
			took := time.Since(made)
			longest = max(longest, took)
			// A shard that nobody writes to holds the stream up for ten seconds.
			if took > 15*time.Second {
				t.Errorf("round %d: Get() after %s elsewhere is right after %v", round, name, took)
			}
		})
	}
	t.Logf("changes are known elsewhere after %v at most", longest)
}

func TestRealPrimariesChangeUnderLoad(t *testing.T) {
	if os.Getenv(stepDownVar) == "" {
		t.Skip(stepDownVar + " is not set: this deposes the primary")
	}
	db := openReal(t)
	underLoad(t, db, func() {
		for range 3 {
			time.Sleep(5 * time.Second)
			err := db.client.Database("admin").RunCommand(t.Context(), bson.D{{Key: "replSetStepDown", Value: 10}, {Key: "force", Value: true}}).Err()
			if err != nil && !driver.IsNetworkError(err) {
				t.Errorf("replSetStepDown = %v, want nil", err)
			}
			time.Sleep(15 * time.Second)
		}
	})
}
