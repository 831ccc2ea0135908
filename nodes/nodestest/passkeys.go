package nodestest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/passkey"
	"sluice/nodes/record"
	"sluice/nodes/user"
)

// Passkeys tests a store of passkeys.
func Passkeys(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a passkey is found as it was added", passkeyIsKept},
		{"a credential is registered once", passkeyIsOne},
		{"a counter goes up only", counterGoesUp},
		{"of many uses with the same count one gets through", countsRace},
		{"a passkey that is removed is gone, by its owner only", removeOwn},
		{"what the store was given and gave is not shared", passkeyIsOwn},
		{"the passkeys of a user who is deleted are gone", deletionEndsPasskeys},
		{"passkeys are taken and given as they were, and count on", passkeysSurvive},
		{"a cancelled context is an error", passkeysCancel},
	})
}

// newPasskey returns a passkey of a user that is in no store yet.
func newPasskey(userID string) passkey.Passkey {
	credential := sha256.Sum256([]byte(newID()))
	return passkey.Passkey{
		ID: newID(), Name: "phone", CreationDtm: present(), UserID: userID, Credential: credential[:], State: []byte(`{"a":1}`),
	}
}

func addPasskey(t *testing.T, s nodes.Stores, p passkey.Passkey) {
	t.Helper()
	if err := s.Passkeys.Add(t.Context(), p); err != nil {
		t.Fatalf("Passkeys.Add(%s) = %v, want nil", p.ID, err)
	}
}

// wantPasskeys fails the test unless a user has exactly these.
func wantPasskeys(t *testing.T, s nodes.Stores, userID string, want ...passkey.Passkey) {
	t.Helper()
	got, err := s.Passkeys.OfUser(t.Context(), userID)
	if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("Passkeys.OfUser(%s) = %+v, %v, want %+v", userID, got, err, want)
	}
	for _, p := range want {
		if found, err := s.Passkeys.ByCredential(t.Context(), p.Credential); err != nil || !reflect.DeepEqual(found, p) {
			t.Errorf("Passkeys.ByCredential(%x) = %+v, %v, want %+v", p.Credential, found, err, p)
		}
	}
}

func passkeyIsKept(t *testing.T, s nodes.Stores) {
	for _, text := range texts() {
		u := addUser(t, s)
		first, second := newPasskey(u.ID), newPasskey(u.ID)
		first.Name, first.State, first.BackedUp, first.Count = text, append([]byte{0, 255}, text...), true, 1<<32-1
		addPasskey(t, s, second)
		addPasskey(t, s, first)
		wantPasskeys(t, s, u.ID, first, second)
	}
	if err := s.Passkeys.Add(t.Context(), newPasskey(newID())); !errors.Is(err, user.ErrNoUser) {
		t.Errorf("Passkeys.Add(of nobody) = %v, want %v", err, user.ErrNoUser)
	}
	for _, credential := range [][]byte{nil, {}, {1}} {
		if _, err := s.Passkeys.ByCredential(t.Context(), credential); !errors.Is(err, passkey.ErrNoPasskey) {
			t.Errorf("Passkeys.ByCredential(%v) = %v, want %v", credential, err, passkey.ErrNoPasskey)
		}
	}
}

func passkeyIsOne(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	p := newPasskey(ada.ID)
	addPasskey(t, s, p)
	for _, of := range []string{ada.ID, bob.ID} {
		again := newPasskey(of)
		again.Credential = p.Credential
		if err := s.Passkeys.Add(t.Context(), again); !errors.Is(err, passkey.ErrTaken) {
			t.Errorf("Passkeys.Add(the same credential) = %v, want %v", err, passkey.ErrTaken)
		}
	}
	wantPasskeys(t, s, ada.ID, p)
	wantPasskeys(t, s, bob.ID)
}

func counterGoesUp(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	p, other := newPasskey(u.ID), newPasskey(u.ID)
	addPasskey(t, s, p)
	addPasskey(t, s, other)
	for _, step := range []struct {
		count int64
		want  error
	}{
		{0, nil}, {0, nil}, {1, nil}, {1, passkey.ErrCopied}, {0, passkey.ErrCopied}, {7, nil}, {6, passkey.ErrCopied}, {1<<32 - 1, nil},
	} {
		at := present()
		err := s.Passkeys.Used(t.Context(), p.Credential, passkey.Use{At: at, Count: step.count, BackedUp: step.count > 1, State: []byte("new")})
		if !errors.Is(err, step.want) {
			t.Errorf("Passkeys.Used(count %d after %d) = %v, want %v", step.count, p.Count, err, step.want)
		}
		if step.want == nil {
			p.LastUsedDtm, p.Count, p.BackedUp, p.State = &at, step.count, step.count > 1, []byte("new")
		}
		wantPasskeys(t, s, u.ID, p, other)
	}
	if err := s.Passkeys.Used(t.Context(), []byte("unknown"), passkey.Use{At: present()}); !errors.Is(err, passkey.ErrNoPasskey) {
		t.Errorf("Passkeys.Used(unknown) = %v, want %v", err, passkey.ErrNoPasskey)
	}
}

func countsRace(t *testing.T, s nodes.Stores) {
	p := newPasskey(addUser(t, s).ID)
	addPasskey(t, s, p)
	for count := range int64(5) {
		wantOne(t, "Passkeys.Used", together(8, func(int) error {
			return s.Passkeys.Used(t.Context(), p.Credential, passkey.Use{At: present(), Count: count + 1, State: []byte("x")})
		}), passkey.ErrCopied)
	}
}

func removeOwn(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	p, stays := newPasskey(ada.ID), newPasskey(ada.ID)
	addPasskey(t, s, p)
	addPasskey(t, s, stays)
	if err := s.Passkeys.Remove(t.Context(), bob.ID, p.ID); !errors.Is(err, passkey.ErrNoPasskey) {
		t.Errorf("Passkeys.Remove(by another) = %v, want %v", err, passkey.ErrNoPasskey)
	}
	wantPasskeys(t, s, ada.ID, p, stays)
	if err := s.Passkeys.Remove(t.Context(), ada.ID, p.ID); err != nil {
		t.Fatalf("Passkeys.Remove() = %v, want nil", err)
	}
	if err := s.Passkeys.Remove(t.Context(), ada.ID, p.ID); !errors.Is(err, passkey.ErrNoPasskey) {
		t.Errorf("Passkeys.Remove() again = %v, want %v", err, passkey.ErrNoPasskey)
	}
	wantPasskeys(t, s, ada.ID, stays)
}

func passkeyIsOwn(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	p := newPasskey(u.ID)
	want := p
	want.Credential, want.State = bytes.Clone(p.Credential), bytes.Clone(p.State)
	addPasskey(t, s, p)
	clear(p.Credential)
	clear(p.State)
	got, err := s.Passkeys.ByCredential(t.Context(), want.Credential)
	if err != nil {
		t.Fatalf("Passkeys.ByCredential() = %v, want nil", err)
	}
	clear(got.State)
	wantPasskeys(t, s, u.ID, want)
}

func deletionEndsPasskeys(t *testing.T, s nodes.Stores) {
	ada, bob := addUser(t, s), addUser(t, s)
	p, stays := newPasskey(ada.ID), newPasskey(bob.ID)
	addPasskey(t, s, p)
	addPasskey(t, s, stays)
	if err := s.Users.Delete(t.Context(), ada.ID, present()); err != nil {
		t.Fatalf("Users.Delete() = %v, want nil", err)
	}
	if _, err := s.Passkeys.ByCredential(t.Context(), p.Credential); !errors.Is(err, passkey.ErrNoPasskey) {
		t.Errorf("Passkeys.ByCredential() of a deleted user = %v, want %v", err, passkey.ErrNoPasskey)
	}
	wantPasskeys(t, s, ada.ID)
	wantPasskeys(t, s, bob.ID, stays)
}

func passkeysSurvive(t *testing.T, s nodes.Stores) {
	now, u := present(), newUser()
	fresh, used := newPasskey(u.ID), newPasskey(u.ID)
	used.BackedUp, used.Count, used.LastUsedDtm = true, 7, new(now.Add(-time.Hour))
	some := []record.Record{record.UserOf(u, ""), record.PasskeyOf(fresh), record.PasskeyOf(used)}
	take(t, s, some, false)
	wantRecords(t, s, now, lines(t, some...))
	wantPasskeys(t, s, u.ID, fresh, used)
	if err := s.Passkeys.Used(t.Context(), used.Credential, passkey.Use{At: now, Count: 7}); !errors.Is(err, passkey.ErrCopied) {
		t.Errorf("Passkeys.Used(the count of before the move) = %v, want %v", err, passkey.ErrCopied)
	}
	take(t, s, []record.Record{some[0]}, true)
	wantPasskeys(t, s, u.ID)
	for name, some := range map[string][]record.Record{"a passkey twice": {some[0], some[1], some[1]}, "one without its user": {some[1]}} {
		if err := s.Records.Import(t.Context(), of(some, nil), true); err == nil {
			t.Errorf("Records.Import of %s = nil, want an error", name)
		}
	}
}

func passkeysCancel(t *testing.T, s nodes.Stores) {
	u := addUser(t, s)
	p := newPasskey(u.ID)
	wantCancelled(t, map[string]func(context.Context) error{
		"Passkeys.Add":          func(ctx context.Context) error { return s.Passkeys.Add(ctx, p) },
		"Passkeys.ByCredential": func(ctx context.Context) error { _, err := s.Passkeys.ByCredential(ctx, p.Credential); return err },
		"Passkeys.OfUser":       func(ctx context.Context) error { _, err := s.Passkeys.OfUser(ctx, u.ID); return err },
		"Passkeys.Used":         func(ctx context.Context) error { return s.Passkeys.Used(ctx, p.Credential, passkey.Use{At: present()}) },
		"Passkeys.Remove":       func(ctx context.Context) error { return s.Passkeys.Remove(ctx, u.ID, p.ID) },
	})
}
