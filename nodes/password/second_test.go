package password_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/user"
)

func TestProofOfAPasswordLacksTheSecondFactor(t *testing.T) {
	const phrase = "a ferry across the river"
	h := password.Quick(password.Settings{})
	hash, err := h.New(t.Context(), phrase)
	if err != nil {
		t.Fatal(err)
	}
	s, ada := memory.New(), user.User{ID: "ada", Epoch: 7}
	if err := s.Users.Create(t.Context(), ada, hash); err != nil {
		t.Fatal(err)
	}
	then := time.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		earlier *user.ProvenID
		lacks   bool
	}{
		"alone":                                    {nil, true},
		"with a session of the user":               {&user.ProvenID{ID: "ada", Epoch: 6, Time: then}, false},
		"with a proof that lacks it as well":       {&user.ProvenID{ID: "ada", Epoch: 7, Time: then, Lacks: true}, true},
		"with a session of somebody else":          {&user.ProvenID{ID: "eve", Time: then}, true},
		"with a session that somebody vouched for": {&user.ProvenID{ID: "ada", Epoch: 7}, true},
		"with a session of who acts for the user":  {&user.ProvenID{ID: "ada", Epoch: 7, Time: then, Actor: "eve"}, true},
		"with a proof of nobody":                   {&user.ProvenID{}, true},
		"with a proof of somebody that lacks it":   {&user.ProvenID{ID: "eve", Lacks: true}, true},
	} {
		in := password.CheckIn{User: &ada, Password: phrase, Earlier: tt.earlier}
		id, lacks, err := password.CheckSecond(t.Context(), s.Passwords, h, in)
		if id.Time.Before(then) {
			t.Errorf("check %s proves the user at %v, want now", name, id.Time)
		}
		id.Time = time.Time{}
		if want := (user.ProvenID{ID: "ada", Epoch: 7, Lacks: tt.lacks}); err != nil || id != want || lacks != tt.lacks {
			t.Errorf("check %s = %+v, second factor %t, %v, want %+v", name, id, lacks, err, want)
		}
	}
}

func TestJudgeRefusesWhatSetWould(t *testing.T) {
	h := password.Quick(password.Settings{})
	for text, weak := range map[string]bool{
		"a ferry across the river": false, "ferry": true, "passwordpassword": true, strings.Repeat("x", 1<<20): true, "a ferry \xff across the river": true,
	} {
		if err := h.Judge(text); errors.Is(err, user.WeakPassword) != weak || err != nil && !weak {
			t.Errorf("Judge(%.40q) = %v, want weak %t", text, err, weak)
		}
	}
	if err := h.Judge("ada.lovelace@example.com", "ada.lovelace@example.com"); !errors.Is(err, user.WeakPassword) {
		t.Errorf("Judge(the address) = %v, want %v", err, user.WeakPassword)
	}
}
