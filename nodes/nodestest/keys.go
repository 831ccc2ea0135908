package nodestest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/apikey"
	"sluice/nodes/user"
)

// Keys tests a store of API keys.
func Keys(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a key is got as it was made", keyIsGot},
		{"an unknown key is none", keyIsUnknown},
		{"a key is dead at its very end, and is listed all the same", keyExpires},
		{"a key that is suspended is refused until it is resumed", keyIsSuspended},
		{"an ended key is gone for good", keyEnds},
		{"a key of another user is not changed and not ended", keysOfOthersStay},
		{"a key is refused while its user is disabled, and where there is none", keyFollowsItsUser},
		{"keys are listed newest first, of all or of one user, a page at a time", keysAreListed},
		{"a use is noted, and only forwards", keyUseIsNoted},
		{"no use brings an ended key back", keyUseRevivesNothing},
		{"what Get returned never changes", gotKeyIsFrozen},
		{"a cancelled context is an error", keysCancel},
		{"of many who end a key one succeeds", keyEndRaces},
	})
}

// keyHash returns the hash under which the tests keep the key with an id.
func keyHash(id string) apikey.Hash { return sha256.Sum256([]byte("key " + id)) }

// newKey returns a key that is in no store yet, of a user or of nobody.
func newKey(userID string) apikey.Key {
	return apikey.Key{ID: newID(), Name: "importer", Scope: apikey.Full, UserID: userID, CreationDtm: present()}
}

func addKey(t *testing.T, s nodes.Stores, k apikey.Key) apikey.Key {
	t.Helper()
	if err := s.Keys.Create(t.Context(), keyHash(k.ID), k); err != nil {
		t.Fatalf("Keys.Create(%s) = %v, want nil", k.ID, err)
	}
	return k
}

// wantKey fails the test unless the key is got as it is wanted.
func wantKey(t *testing.T, s nodes.Stores, want apikey.Key, now time.Time) *apikey.Key {
	t.Helper()
	got, err := s.Keys.Get(t.Context(), keyHash(want.ID), now)
	if err != nil || !reflect.DeepEqual(*got, want) {
		t.Fatalf("Keys.Get(%s) = %+v, %v, want %+v", want.ID, got, err, want)
	}
	return got
}

// wantNoKey fails the test unless the key is refused.
func wantNoKey(t *testing.T, s nodes.Stores, id string, now time.Time) {
	t.Helper()
	if got, err := s.Keys.Get(t.Context(), keyHash(id), now); !errors.Is(err, apikey.ErrNoKey) {
		t.Errorf("Keys.Get(%s) = %+v, %v, want %v", id, got, err, apikey.ErrNoKey)
	}
}

func listKeys(t *testing.T, s nodes.Stores, userID, after string, limit int) (names []string) {
	t.Helper()
	page, err := s.Keys.List(t.Context(), userID, after, limit)
	if err != nil {
		t.Fatalf("Keys.List(%q, %q, %d) = %v, want nil", userID, after, limit, err)
	}
	for _, k := range page {
		names = append(names, k.ID)
	}
	return names
}

func keyIsGot(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	plain, whole := newKey(""), newKey(u.ID)
	whole.Name, whole.Scope, whole.Endpoints = `ключ "$x.y"`, apikey.Only, []string{"GET /orders/{id}", "POST /orders"}
	whole.Roles = []string{"login", "staff"}
	whole.ExpiresDtm, whole.LastUsedDtm = now.Add(90*24*time.Hour), now.Add(-time.Hour)
	for _, k := range []apikey.Key{addKey(t, s, plain), addKey(t, s, whole)} {
		wantKey(t, s, k, now)
		wantKey(t, s, k, now)
		page, err := s.Keys.List(t.Context(), k.UserID, k.ID+"~", 1)
		if err != nil || len(page) != 1 || !reflect.DeepEqual(page[0], k) {
			t.Errorf("Keys.List(%s) = %+v, %v, want %+v", k.UserID, page, err, k)
		}
	}
}

func keyIsUnknown(t *testing.T, s nodes.Stores) {
	k := addKey(t, s, newKey(""))
	wantNoKey(t, s, newID(), present())
	if _, err := s.Keys.Get(t.Context(), apikey.Hash{}, present()); !errors.Is(err, apikey.ErrNoKey) {
		t.Errorf("Keys.Get(zero) = %v, want %v", err, apikey.ErrNoKey)
	}
	for _, w := range []apikey.Which{{}, {ID: newID()}, {ID: newID(), UserID: k.UserID}} {
		if _, err := s.Keys.Update(t.Context(), w, apikey.Change{}); !errors.Is(err, apikey.ErrNoKey) {
			t.Errorf("Keys.Update(%+v) = %v, want %v", w, err, apikey.ErrNoKey)
		}
		if err := s.Keys.End(t.Context(), w); !errors.Is(err, apikey.ErrNoKey) {
			t.Errorf("Keys.End(%+v) = %v, want %v", w, err, apikey.ErrNoKey)
		}
	}
	wantKey(t, s, k, present())
}

func keyExpires(t *testing.T, s nodes.Stores) {
	now, k := present(), newKey("")
	k.ExpiresDtm = now.Add(time.Hour)
	addKey(t, s, k)
	wantKey(t, s, k, k.ExpiresDtm.Add(-time.Millisecond))
	wantNoKey(t, s, k.ID, k.ExpiresDtm)
	if got := listKeys(t, s, "", "", 10); len(got) != 1 {
		t.Errorf("Keys.List() = %q, want the expired key", got)
	}
}

func keyIsSuspended(t *testing.T, s nodes.Stores) {
	now, k, name := present(), addKey(t, s, newKey("")), "exporter"
	wantKey(t, s, k, now)
	for _, suspended := range []bool{true, false, true} {
		k.Suspended, k.Name = suspended, name
		got, err := s.Keys.Update(t.Context(), apikey.Which{ID: k.ID}, apikey.Change{Suspended: &suspended, Name: &name})
		if err != nil || !reflect.DeepEqual(got, k) {
			t.Fatalf("Keys.Update(suspended %t) = %+v, %v, want %+v", suspended, got, err, k)
		}
		if suspended {
			wantNoKey(t, s, k.ID, now)
		} else {
			wantKey(t, s, k, now)
		}
	}
	if got, err := s.Keys.Update(t.Context(), apikey.Which{ID: k.ID}, apikey.Change{}); err != nil || !reflect.DeepEqual(got, k) {
		t.Errorf("Keys.Update(nothing) = %+v, %v, want %+v", got, err, k)
	}
}

func keyEnds(t *testing.T, s nodes.Stores) {
	now, k, other := present(), addKey(t, s, newKey("")), addKey(t, s, newKey(""))
	wantKey(t, s, k, now)
	if err := s.Keys.End(t.Context(), apikey.Which{ID: k.ID}); err != nil {
		t.Fatalf("Keys.End(%s) = %v, want nil", k.ID, err)
	}
	wantNoKey(t, s, k.ID, now)
	wantKey(t, s, other, now)
	if got := listKeys(t, s, "", "", 10); len(got) != 1 || got[0] != other.ID {
		t.Errorf("Keys.List() = %q, want %s", got, other.ID)
	}
}

func keysOfOthersStay(t *testing.T, s nodes.Stores) {
	now, owner, thief, yes := present(), addUser(t, s), addUser(t, s), true
	k, nobodys := addKey(t, s, newKey(owner.ID)), addKey(t, s, newKey(""))
	for _, w := range []apikey.Which{{ID: k.ID, UserID: thief.ID}, {ID: nobodys.ID, UserID: thief.ID}} {
		if _, err := s.Keys.Update(t.Context(), w, apikey.Change{Suspended: &yes}); !errors.Is(err, apikey.ErrNoKey) {
			t.Errorf("Keys.Update(%+v) = %v, want %v", w, err, apikey.ErrNoKey)
		}
		if err := s.Keys.End(t.Context(), w); !errors.Is(err, apikey.ErrNoKey) {
			t.Errorf("Keys.End(%+v) = %v, want %v", w, err, apikey.ErrNoKey)
		}
	}
	wantKey(t, s, k, now)
	wantKey(t, s, nobodys, now)
	if err := s.Keys.End(t.Context(), apikey.Which{ID: k.ID, UserID: owner.ID}); err != nil {
		t.Errorf("Keys.End(by its user) = %v, want nil", err)
	}
}

func keyFollowsItsUser(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	k, nobodys := addKey(t, s, newKey(u.ID)), addKey(t, s, newKey(""))
	wantKey(t, s, k, now)
	for _, disabled := range []bool{true, false, true} {
		if _, err := s.Users.Update(t.Context(), u.ID, user.Change{Disabled: &disabled}, now); err != nil {
			t.Fatalf("Users.Update(%s) = %v, want nil", u.ID, err)
		}
		if disabled {
			wantNoKey(t, s, k.ID, now)
		} else {
			wantKey(t, s, k, now)
		}
		wantKey(t, s, nobodys, now)
	}
}

func keysAreListed(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	var all, mine []string
	for i := range 5 {
		owner := ""
		if i%2 == 0 {
			owner = u.ID
		}
		k := addKey(t, s, newKey(owner))
		all = append([]string{k.ID}, all...)
		if owner != "" {
			mine = append([]string{k.ID}, mine...)
		}
	}
	for _, c := range []struct {
		userID, after string
		limit         int
		want          []string
	}{
		{"", "", 10, all}, {"", "", 2, all[:2]}, {"", all[1], 2, all[2:4]}, {"", all[4], 2, nil},
		{u.ID, "", 10, mine}, {u.ID, mine[0], 1, mine[1:2]}, {newID(), "", 10, nil},
	} {
		if got := listKeys(t, s, c.userID, c.after, c.limit); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("Keys.List(%q, %q, %d) = %q, want %q", c.userID, c.after, c.limit, got, c.want)
		}
	}
	if err := s.Keys.End(t.Context(), apikey.Which{ID: all[2]}); err != nil {
		t.Fatal(err)
	}
	if got := listKeys(t, s, "", all[2], 10); fmt.Sprint(got) != fmt.Sprint(all[3:]) {
		t.Errorf("Keys.List(behind an ended key) = %q, want %q", got, all[3:])
	}
}

// wantUsed waits for a use to be noted, which a store may do a little later.
func wantUsed(t *testing.T, s nodes.Stores, k apikey.Key, now time.Time) {
	t.Helper()
	for range 500 {
		if got, err := s.Keys.Get(t.Context(), keyHash(k.ID), now); err == nil && got.LastUsedDtm.Equal(k.LastUsedDtm) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	wantKey(t, s, k, now)
}

func keyUseIsNoted(t *testing.T, s nodes.Stores) {
	now, k := present(), addKey(t, s, newKey(""))
	for _, at := range []time.Time{now, now.Add(5 * time.Minute)} {
		s.Keys.Touch(keyHash(k.ID), at)
		k.LastUsedDtm = at
		wantUsed(t, s, k, now)
	}
	s.Keys.Touch(keyHash(k.ID), now.Add(-time.Hour))
	time.Sleep(50 * time.Millisecond)
	wantKey(t, s, k, now)
}

func keyUseRevivesNothing(t *testing.T, s nodes.Stores) {
	now, k := present(), addKey(t, s, newKey(""))
	if err := s.Keys.End(t.Context(), apikey.Which{ID: k.ID}); err != nil {
		t.Fatal(err)
	}
	s.Keys.Touch(keyHash(k.ID), now)
	time.Sleep(50 * time.Millisecond)
	wantNoKey(t, s, k.ID, now)
	if got := listKeys(t, s, "", "", 10); len(got) != 0 {
		t.Errorf("Keys.List() = %q, want none", got)
	}
}

func gotKeyIsFrozen(t *testing.T, s nodes.Stores) {
	now, yes := present(), true
	made := newKey("")
	made.Scope, made.Endpoints = apikey.Except, []string{"GET /a"}
	k := addKey(t, s, made)
	got := wantKey(t, s, k, now)
	s.Keys.Touch(keyHash(k.ID), now.Add(time.Minute))
	if _, err := s.Keys.Update(t.Context(), apikey.Which{ID: k.ID}, apikey.Change{Suspended: &yes}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, k) {
		t.Errorf("what Keys.Get returned is now %+v, want %+v", *got, k)
	}
}

func keysCancel(t *testing.T, s nodes.Stores) {
	now, k := present(), addKey(t, s, newKey(""))
	w, next := apikey.Which{ID: k.ID}, newKey("")
	wantCancelled(t, map[string]func(context.Context) error{
		"Keys.Create": func(ctx context.Context) error { return s.Keys.Create(ctx, keyHash(next.ID), next) },
		"Keys.Get":    func(ctx context.Context) error { _, err := s.Keys.Get(ctx, keyHash(k.ID), now); return err },
		"Keys.List":   func(ctx context.Context) error { _, err := s.Keys.List(ctx, "", "", 10); return err },
		"Keys.Update": func(ctx context.Context) error { _, err := s.Keys.Update(ctx, w, apikey.Change{}); return err },
		"Keys.End":    func(ctx context.Context) error { return s.Keys.End(ctx, w) },
	})
	wantKey(t, s, k, now)
	wantNoKey(t, s, next.ID, now)
}

func keyEndRaces(t *testing.T, s nodes.Stores) {
	k := addKey(t, s, newKey(""))
	errs := together(16, func(int) error { return s.Keys.End(t.Context(), apikey.Which{ID: k.ID}) })
	wantOne(t, "Keys.End", errs, apikey.ErrNoKey)
}
