package session_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// ada is a user of a new store.
func ada(t *testing.T) (nodes.Stores, user.ProvenID) {
	t.Helper()
	s := memory.New()
	if err := s.Users.Create(t.Context(), user.User{ID: "ada", EmailKey: "ada@example.com"}, ""); err != nil {
		t.Fatalf("Users.Create = %v, want nil", err)
	}
	return s, user.ProvenID{ID: "ada"}
}

func create(t *testing.T, s nodes.Stores, id user.ProvenID) session.Fresh {
	t.Helper()
	f, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: id, Idle: time.Hour, Lifetime: 24 * time.Hour})
	if err != nil {
		t.Fatalf("create = %v, want nil", err)
	}
	return f
}

// wantLive fails the test unless a token's session is live exactly where it is wanted.
func wantLive(t *testing.T, s nodes.Stores, f session.Fresh, want bool) {
	t.Helper()
	_, err := session.Get(t.Context(), s.Sessions, session.OneIn{Token: f.Token})
	if live := err == nil; live != want || err != nil && !errors.Is(err, session.NotFound) {
		t.Errorf("get(token of %s) = %v, want live %t", f.ID, err, want)
	}
}

func TestCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, id := ada(t)
		in := session.CreateIn{
			UserID: id, Groups: []string{"staff", "admin", "staff"}, IP: "192.0.2.1", UserAgent: "curl/8.5.0",
			Idle: time.Hour, Lifetime: 24 * time.Hour,
		}
		f, err := session.Create(t.Context(), s.Sessions, in)
		if err != nil {
			t.Fatalf("create(%+v) = %v, want nil", in, err)
		}
		now := time.Now().UTC()
		h, ok := session.HashOf(f.Token)
		if !ok {
			t.Fatalf("create gave the token %q, want one that can be", f.Token)
		}
		got, err := s.Sessions.Get(t.Context(), h, now)
		if err != nil {
			t.Fatalf("Sessions.Get(the token's hash) = %v, want nil", err)
		}
		if !slices.Equal(got.AccessGroupKeys, []string{"admin", "staff"}) || !slices.Equal(f.AccessGroupKeys, got.AccessGroupKeys) {
			t.Errorf("groups = %q, want admin and staff", got.AccessGroupKeys)
		}
		if got.ID != f.ID || got.UserID != id || got.IP != in.IP || got.UserAgent.Family != "curl" || got.Token != "" ||
			!got.CreationDtm.Equal(now) || !got.LastSeenDtm.Equal(now) || !got.ExpiresDtm.Equal(now.Add(time.Hour)) ||
			!got.End.Equal(now.Add(24*time.Hour)) || got.Idle != time.Hour {
			t.Errorf("stored session = %+v, want one of %+v at %v", *got, in, now)
		}
		time.Sleep(time.Hour - time.Millisecond)
		wantLive(t, s, f, true)
		time.Sleep(time.Millisecond)
		wantLive(t, s, f, false)
	})
}

func TestProofWithoutTheSecondFactorOpensNothing(t *testing.T) {
	s, id := ada(t)
	id.Lacks = true
	in := session.CreateIn{UserID: id, Idle: time.Hour, Lifetime: time.Hour}
	if _, err := session.Create(t.Context(), s.Sessions, in); !errors.Is(err, user.SecondFactorRequired) {
		t.Errorf("create(%+v) = %v, want %v", in, err, user.SecondFactorRequired)
	}
	if page, err := s.Sessions.List(t.Context(), id.ID, "", 1, time.Now()); err != nil || len(page) > 0 {
		t.Errorf("Sessions.List() = %v, %v, want none", page, err)
	}
}

func TestIdleTimeNeverOutlivesTheSession(t *testing.T) {
	for _, tt := range []struct{ idle, life, expires time.Duration }{
		{time.Hour, 24 * time.Hour, time.Hour},
		{24 * time.Hour, time.Hour, time.Hour},
		{time.Minute, time.Minute, time.Minute},
	} {
		s, id := ada(t)
		f, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: id, Idle: tt.idle, Lifetime: tt.life})
		expires, end := f.ExpiresDtm.Sub(f.CreationDtm), f.End.Sub(f.CreationDtm)
		if err != nil || f.Idle != tt.idle || expires != tt.expires || end != tt.life {
			t.Errorf("create(idle %v, lifetime %v) = idle %v, expires in %v, ends in %v, %v, want %v, %v, %v, nil",
				tt.idle, tt.life, f.Idle, expires, end, err, tt.idle, tt.expires, tt.life)
		}
	}
}

func TestCreateLeavesByOutcome(t *testing.T) {
	s, id := ada(t)
	many := slices.Repeat([]string{"g"}, 101)
	for name, tt := range map[string]struct {
		in   session.CreateIn
		want error
	}{
		"longest group":   {session.CreateIn{UserID: id, Groups: []string{strings.Repeat("é", 64)}}, nil},
		"most groups":     {session.CreateIn{UserID: id, Groups: many[:100]}, nil},
		"empty group":     {session.CreateIn{UserID: id, Groups: []string{"a", ""}}, session.InvalidGroup},
		"long group":      {session.CreateIn{UserID: id, Groups: []string{strings.Repeat("é", 65)}}, session.InvalidGroup},
		"control":         {session.CreateIn{UserID: id, Groups: []string{"a\nb"}}, session.InvalidGroup},
		"no text":         {session.CreateIn{UserID: id, Groups: []string{"a\xff"}}, session.InvalidGroup},
		"too many groups": {session.CreateIn{UserID: id, Groups: many}, session.InvalidGroup},
		"old proof":       {session.CreateIn{UserID: user.ProvenID{ID: id.ID, Epoch: -1}}, user.Stale},
		"nobody":          {session.CreateIn{}, user.Stale},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := session.Create(t.Context(), s.Sessions, tt.in); !errors.Is(err, tt.want) {
				t.Errorf("create(%.80v) = %v, want %v", tt.in, err, tt.want)
			}
		})
	}
}

// unnamed are the ways to name no session, though it is there, for nodes that are
// about one session.
func unnamed(f session.Fresh) map[string]session.OneIn {
	return map[string]session.OneIn{
		"nothing":             {},
		"no token":            {Token: "token"},
		"the public id":       {Token: f.ID},
		"an unknown token":    {Token: "sls_" + strings.Repeat("a", 43)},
		"user without id":     {UserID: f.UserID.ID},
		"id without user":     {ID: f.ID},
		"of another user":     {UserID: "bob", ID: f.ID},
		"an unknown id":       {UserID: f.UserID.ID, ID: "unknown"},
		"an id before it":     {UserID: f.UserID.ID, ID: f.ID[:len(f.ID)-1]},
		"an id right after":   {UserID: f.UserID.ID, ID: f.ID + "0"},
		"the greatest of ids": {UserID: f.UserID.ID, ID: "~"},
	}
}

func TestGet(t *testing.T) {
	s, id := ada(t)
	create(t, s, id)
	f := create(t, s, id)
	create(t, s, id)
	for _, in := range []session.OneIn{{Token: f.Token}, {UserID: "ada", ID: f.ID}} {
		got, err := session.Get(t.Context(), s.Sessions, in)
		if err != nil || got.ID != f.ID || got.UserID != "ada" || !got.ExpiresDtm.Equal(f.ExpiresDtm) {
			t.Errorf("get(%+v) = %+v, %v, want the session %s", in, got, err, f.ID)
		}
	}
	for name, in := range unnamed(f) {
		if got, err := session.Get(t.Context(), s.Sessions, in); !errors.Is(err, session.NotFound) {
			t.Errorf("get(%s) = %+v, %v, want %v", name, got, err, session.NotFound)
		}
	}
}

func TestDelete(t *testing.T) {
	s, id := ada(t)
	kept := create(t, s, id)
	for name, in := range unnamed(kept) {
		if _, err := session.Delete(t.Context(), s.Sessions, in); !errors.Is(err, session.NotFound) {
			t.Errorf("delete(%s) = %v, want %v", name, err, session.NotFound)
		}
	}
	for name, in := range map[string]func(session.Fresh) session.OneIn{
		"token": func(f session.Fresh) session.OneIn { return session.OneIn{Token: f.Token} },
		"id":    func(f session.Fresh) session.OneIn { return session.OneIn{UserID: "ada", ID: f.ID} },
	} {
		f := create(t, s, id)
		if _, err := session.Delete(t.Context(), s.Sessions, in(f)); err != nil {
			t.Errorf("delete(%s) = %v, want nil", name, err)
		}
		wantLive(t, s, f, false)
		if _, err := session.Delete(t.Context(), s.Sessions, in(f)); !errors.Is(err, session.NotFound) {
			t.Errorf("delete(%s) once more = %v, want %v", name, err, session.NotFound)
		}
	}
	wantLive(t, s, kept, true)
}

// A list of handles holds no token but the one that the caller sent, and each
// handle ends the session that it names, of its own user alone.
func TestHandles(t *testing.T) {
	s, id := ada(t)
	first, second, own := create(t, s, id), create(t, s, id), create(t, s, id)
	for token, want := range map[string][]string{
		own.Token:   {own.Token, second.ID, first.ID},
		"":          {own.ID, second.ID, first.ID},
		"sls_wrong": {own.ID, second.ID, first.ID},
	} {
		got, err := session.Handles(t.Context(), s.Sessions, session.HandlesIn{UserID: "ada", Token: token, Limit: 10})
		if err != nil || len(got) != 3 {
			t.Fatalf("handles = %+v, %v, want three", got, err)
		}
		for i := range got {
			if got[i].Token != want[i] || got[i].ID != []string{own.ID, second.ID, first.ID}[i] {
				t.Errorf("handles(%q) has %q of %s, want %q", token, got[i].Token, got[i].ID, want[i])
			}
		}
	}
	for name, c := range map[string]struct{ user, handle string }{
		"the id of another":    {"eve", first.ID},
		"the token of another": {"eve", first.Token},
		"nothing":              {"ada", ""},
		"an unknown token":     {"ada", "sls_" + strings.Repeat("a", 43)},
		"an unknown id":        {"ada", "unknown"},
	} {
		if _, err := session.DeleteHandled(t.Context(), s.Sessions, c.user, c.handle); !errors.Is(err, session.NotFound) {
			t.Errorf("delete(%s) = %v, want %v", name, err, session.NotFound)
		}
	}
	for _, handle := range []string{first.ID, own.Token} {
		if _, err := session.DeleteHandled(t.Context(), s.Sessions, "ada", handle); err != nil {
			t.Errorf("delete(%q) = %v, want nil", handle, err)
		}
	}
	wantLive(t, s, first, false)
	wantLive(t, s, second, true)
	wantLive(t, s, own, false)
}

func TestDeleteMany(t *testing.T) {
	s, id := ada(t)
	own, others := create(t, s, id), []session.Fresh{create(t, s, id), create(t, s, id)}
	got, err := session.DeleteOthers(t.Context(), s.Sessions, session.OthersIn{UserID: "ada", ID: own.ID})
	if err != nil || got.Ended != 2 {
		t.Errorf("deleteOthers = %+v, %v, want 2 ended", got, err)
	}
	wantLive(t, s, own, true)
	for _, f := range others {
		wantLive(t, s, f, false)
	}
	if _, err := session.Create(t.Context(), s.Sessions, session.CreateIn{UserID: id}); !errors.Is(err, user.Stale) {
		t.Errorf("create with a proof of before = %v, want %v", err, user.Stale)
	}
	for _, want := range []int{1, 0} {
		if got, err := session.DeleteAll(t.Context(), s.Sessions, session.AllIn{UserID: "ada"}); err != nil || got.Ended != want {
			t.Errorf("deleteAll = %+v, %v, want %d ended", got, err, want)
		}
	}
	wantLive(t, s, own, false)
}

func TestDeleteOthersSparesNothingThatIsNotThere(t *testing.T) {
	for _, id := range []string{"", "unknown"} {
		s, proof := ada(t)
		f := create(t, s, proof)
		if got, err := session.DeleteOthers(t.Context(), s.Sessions, session.OthersIn{UserID: "ada", ID: id}); err != nil || got.Ended != 1 {
			t.Errorf("deleteOthers(%q) = %+v, %v, want 1 ended", id, got, err)
		}
		wantLive(t, s, f, false)
	}
}

func TestList(t *testing.T) {
	s, id := ada(t)
	var made []string
	for range 45 {
		made = append([]string{create(t, s, id).ID}, made...)
	}
	for _, limit := range []int{1, 20, 45, 100} {
		var walked []string
		in := session.ListIn{UserID: "ada", CurrentID: made[7], Limit: limit}
		for pages := 1; ; pages++ {
			out, err := session.List(t.Context(), s.Sessions, in)
			if err != nil {
				t.Fatalf("list(%+v) = %v, want nil", in, err)
			}
			for _, l := range out.Sessions {
				walked = append(walked, l.ID)
				if l.Current != (l.ID == made[7]) || l.UserID != "ada" {
					t.Errorf("list(%+v) has %+v, want current exactly for %s", in, l, made[7])
				}
			}
			if in.After = out.Next; in.After == "" {
				if want := (45 + limit - 1) / limit; pages != want {
					t.Errorf("a walk of %d a page takes %d pages, want %d", limit, pages, want)
				}
				break
			}
		}
		if !slices.Equal(walked, made) {
			t.Errorf("a walk of %d a page = %v, want %v", limit, walked, made)
		}
	}
	if out, err := session.List(t.Context(), s.Sessions, session.ListIn{UserID: "bob", Limit: 10}); err != nil || len(out.Sessions) != 0 || out.Next != "" {
		t.Errorf("list(nobody) = %+v, %v, want nothing", out, err)
	}
}

func TestUpdate(t *testing.T) {
	s, id := ada(t)
	one, two := create(t, s, id), create(t, s, id)
	empty, unknown := "", "unknown"
	steps := []struct { // each goes on where the one before ended
		in       session.UpdateIn
		n        int
		wantErr  error
		one, two []string
	}{
		{session.UpdateIn{AddGroups: []string{"b", "a"}}, 2, nil, []string{"a", "b"}, []string{"a", "b"}},
		{session.UpdateIn{ID: &one.ID, RemoveGroups: []string{"a"}}, 1, nil, []string{"b"}, []string{"a", "b"}},
		{session.UpdateIn{}, 2, nil, []string{"b"}, []string{"a", "b"}},
		{session.UpdateIn{ID: &two.ID, SetGroups: []string{"c"}, AddGroups: []string{"d"}, RemoveGroups: []string{"c"}}, 1, nil, []string{"b"}, []string{"d"}},
		{session.UpdateIn{SetGroups: []string{}}, 2, nil, nil, nil},
		{session.UpdateIn{ID: &empty, AddGroups: []string{"x"}}, 0, session.NotFound, nil, nil},
		{session.UpdateIn{ID: &unknown, AddGroups: []string{"x"}}, 0, session.NotFound, nil, nil},
		{session.UpdateIn{SetGroups: []string{""}}, 0, session.InvalidGroup, nil, nil},
		{session.UpdateIn{AddGroups: []string{"\x00"}}, 0, session.InvalidGroup, nil, nil},
		{session.UpdateIn{RemoveGroups: []string{strings.Repeat("x", 65)}}, 0, session.InvalidGroup, nil, nil},
	}
	for i, step := range steps {
		step.in.UserID = "ada"
		out, err := session.Update(t.Context(), s.Sessions, step.in)
		if out.Updated != step.n || !errors.Is(err, step.wantErr) {
			t.Errorf("step %d: update(%+v) = %+v, %v, want %d, %v", i, step.in, out, err, step.n, step.wantErr)
		}
		for f, want := range map[*session.Fresh][]string{&one: step.one, &two: step.two} {
			if got, err := session.Get(t.Context(), s.Sessions, session.OneIn{Token: f.Token}); err != nil || !slices.Equal(got.AccessGroupKeys, want) {
				t.Errorf("step %d: groups = %q, %v, want %q", i, got.AccessGroupKeys, err, want)
			}
		}
	}
	if out, err := session.Update(t.Context(), s.Sessions, session.UpdateIn{UserID: "bob", AddGroups: []string{"x"}}); err != nil || out.Updated != 0 {
		t.Errorf("update(nobody's) = %+v, %v, want 0", out, err)
	}
}

// away is a store that cannot be reached.
type away struct{ session.Store }

var errAway = errors.New("away")

func (away) Create(context.Context, session.Hash, session.Session) error { return errAway }
func (away) Get(context.Context, session.Hash, time.Time) (*session.Session, error) {
	return nil, errAway
}
func (away) List(context.Context, string, string, int, time.Time) ([]session.Session, error) {
	return nil, errAway
}
func (away) Update(context.Context, session.Which, session.Groups, time.Time) (int, error) {
	return 0, errAway
}
func (away) End(context.Context, session.Which, time.Time) (int, error) { return 0, errAway }

func TestStoreErrorsAreNoOutcomes(t *testing.T) {
	ctx, s, id := t.Context(), away{}, "id"
	token, _ := session.NewToken()
	_, created := session.Create(ctx, s, session.CreateIn{})
	_, got := session.Get(ctx, s, session.OneIn{Token: token})
	_, gotByID := session.Get(ctx, s, session.OneIn{UserID: id, ID: id})
	_, listed := session.List(ctx, s, session.ListIn{})
	_, updated := session.Update(ctx, s, session.UpdateIn{ID: &id})
	_, deleted := session.Delete(ctx, s, session.OneIn{Token: token})
	_, all := session.DeleteAll(ctx, s, session.AllIn{})
	_, others := session.DeleteOthers(ctx, s, session.OthersIn{})
	for name, err := range map[string]error{
		"create": created, "get": got, "get by id": gotByID, "list": listed, "update": updated, "delete": deleted, "deleteAll": all, "deleteOthers": others,
	} {
		if !errors.Is(err, errAway) || errors.Is(err, session.NotFound) {
			t.Errorf("%s = %v, want it to wrap %v", name, err, errAway)
		}
	}
}

func ExampleGroups_Apply() {
	g := session.Groups{Add: []string{"editor", "admin"}, Remove: []string{"guest"}}
	fmt.Println(g.Apply([]string{"guest", "staff"}))
	// Output: [admin editor staff]
}
