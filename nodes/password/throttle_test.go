package password_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/limit"
	"sluice/nodes/memory"
	"sluice/nodes/password"
	"sluice/nodes/user"
)

// Whoever is claimed, the answers and the times at which they come are alike.
func TestThrottleTellsNobodyWhoHasAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := memory.New(), password.Quick(password.Settings{})
		ada, shut := addUser(t, s, h, "ada", phrase), addUser(t, s, h, "shut", phrase)
		shut.Disabled = true
		check := password.NewCheck(s.Passwords, s.Limits, h)
		var first string
		for name, in := range map[string]password.CheckIn{
			"known":    {User: &ada, Account: "ada@example.com"},
			"unknown":  {Account: "nobody@example.com"},
			"disabled": {User: &shut, Account: "shut@example.com"},
		} {
			in.Password, in.IP = "quite another phrase", "192.0.2.7"
			seen := ""
			for range 15 {
				began := time.Now()
				seen += fmt.Sprint(check(t.Context(), in), " after ", time.Since(began), "\n")
			}
			if first == "" {
				first = seen
			}
			if seen != first {
				t.Errorf("fifteen wrong passwords of a user who is %s =\n%swant\n%s", name, seen, first)
			}
		}
	})
}

func TestEverySpellingOfAnAccountIsCountedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := memory.New(), password.Quick(password.Settings{Wrong: limit.Policy{Account: 6}})
		check := password.NewCheck(s.Passwords, s.Limits, h)
		ada := user.User{ID: "ada", EmailKey: "ada@example.com"}
		mismatches := 0
		for i, in := range []password.CheckIn{
			{User: &ada, Account: "something else"}, {Account: "ada@example.com"}, {Account: "ADA@example.com"},
			{Account: "\uff41da@Example.com"}, {User: &ada}, {User: &ada}, {User: &ada}, {Account: "ada@example.com"},
		} {
			in.Password, in.IP = "wrong", fmt.Sprintf("192.0.2.%d", i)
			if errors.Is(check(t.Context(), in), password.Mismatch) {
				mismatches++
			}
		}
		if mismatches != 6 {
			t.Errorf("in eight spellings %d wrong passwords were looked at, want 6", mismatches)
		}
	})
}

// What the server has no time for is nobody's wrong password.
func TestBusyIsNotCounted(t *testing.T) {
	s, h := memory.New(), password.Quick(password.Settings{Parallel: 1, Queue: 1, Wait: time.Millisecond, Wrong: limit.Policy{Account: 4}})
	ada := addUser(t, s, h, "ada", phrase)
	check := password.NewCheck(s.Passwords, s.Limits, h)
	release := h.Hold(context.Background())
	for range 20 {
		if err := check(t.Context(), password.CheckIn{User: &ada, Password: phrase, IP: "192.0.2.7"}); !errors.Is(err, user.Busy) {
			t.Fatalf("Check while another hashes = %v, want %v", err, user.Busy)
		}
	}
	release()
	if err := check(t.Context(), password.CheckIn{User: &ada, Password: phrase, IP: "192.0.2.7"}); err != nil {
		t.Errorf("Check after that = %v, want nil", err)
	}
}
