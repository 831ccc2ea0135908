package code_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/code"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

const adasNumber = "+14155550100"

// text completes the input of code.send to a phone.
func text(given code.SendIn) code.SendIn {
	given.Form, given.IP, given.PerNumber, given.PerCaller = "digits", "192.0.2.1", 5, 20
	return in(given)
}

// texted gives Ada a number, and has a code sent to it.
func texted(t *testing.T) *world {
	t.Helper()
	w, number, yes := newWorld(t), adasNumber, true
	var err error
	if w.ada, err = w.Stores.Users.Update(t.Context(), "ada", user.Change{Phone: &number, PhoneVerified: &yes}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTextProvesWhoseTheNumberIs(t *testing.T) {
	w := texted(t)
	if err := code.Send(t.Context(), w.Means, text(code.SendIn{User: &w.ada, Phone: "+1 (415) 555-0100"})); err != nil {
		t.Fatal(err)
	}
	sent := w.box.Mails()
	if len(sent) != 1 || sent[0].To != adasNumber || !sent[0].ToPhone() {
		t.Fatalf("code.send to a phone sends %+v, want one text to %s", sent, adasNumber)
	}
	out, err := code.Redeem(t.Context(), w.Means, redeem(sent[0].Text[:6], &w.ada))
	if err != nil || out.Phone != adasNumber || out.Email != "" || out.UserID.ID != "ada" {
		t.Errorf("code.redeem = %+v, %v, want a proof of ada and %s", out, err, adasNumber)
	}
}

func TestTextToAnotherNumberIsRedeemedByTheNumber(t *testing.T) {
	w, other := texted(t), "+14155550109"
	if err := code.Send(t.Context(), w.Means, text(code.SendIn{User: &w.ada, Phone: other, By: "address"})); err != nil {
		t.Fatal(err)
	}
	digits := w.box.Mails()[0].Text[:6]
	w.wantMismatch(t, "digits of a number with a user", redeem(digits, &w.ada))
	w.wantMismatch(t, "digits of another number", code.RedeemIn{Purpose: "sign-in", Code: digits, Phone: adasNumber})
	out, err := code.Redeem(t.Context(), w.Means, code.RedeemIn{Purpose: "sign-in", Code: digits, Phone: "+1 415 555 0109"})
	if err != nil || out.Phone != other || out.UserID.ID != "ada" {
		t.Errorf("code.redeem = %+v, %v, want a proof of ada and %s", out, err, other)
	}
}

func TestNoTextForWhoHasNotShownToOwnTheNumber(t *testing.T) {
	w := texted(t)
	unproved := w.ada
	unproved.PhoneVerified = false
	for name, given := range map[string]code.SendIn{
		"nobody":                  {Phone: adasNumber},
		"not verified":            {User: &unproved, Phone: adasNumber, Verified: true},
		"verified another number": {User: &w.ada, Phone: "+14155550109", Verified: true},
	} {
		if err := code.Send(t.Context(), w.Means, text(given)); err != nil || len(w.box.Mails()) > 0 {
			t.Errorf("code.send to who is %s = %v with %d texts, want nil and none", name, err, len(w.box.Mails()))
		}
	}
	if err := code.Send(t.Context(), w.Means, text(code.SendIn{User: &w.ada, Phone: "555"})); !errors.Is(err, user.InvalidPhone) {
		t.Errorf("code.send to no number = %v, want %v", err, user.InvalidPhone)
	}
}

func TestTextsAreCountedByNumberAndByCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := texted(t)
		for _, u := range []*user.User{&w.ada, nil} { // one look for all
			number := adasNumber
			if u == nil {
				number = "+14155550108"
			}
			for n := range 6 {
				err := code.Send(t.Context(), w.Means, text(code.SendIn{User: u, Phone: number}))
				if want := n == 5; errors.Is(err, limit.Throttled) != want {
					t.Errorf("text %d to %s = %v, want throttled %t", n+1, number, err, want)
				}
			}
		}
		time.Sleep(time.Hour)
		for n := range 21 {
			err := code.Send(t.Context(), w.Means, text(code.SendIn{Phone: fmt.Sprintf("+141555502%02d", n)}))
			if want := n == 20; errors.Is(err, limit.Throttled) != want {
				t.Errorf("text %d of one caller = %v, want throttled %t", n+1, err, want)
			}
		}
		if err := code.Send(t.Context(), w.Means, text(code.SendIn{User: &w.ada, Email: w.ada.Email})); err != nil {
			t.Errorf("a mail of a caller who has no text left = %v, want nil", err)
		}
	})
}

func TestCodesEndWithTheNumber(t *testing.T) {
	w := texted(t)
	if err := code.Send(t.Context(), w.Means, text(code.SendIn{User: &w.ada, Phone: adasNumber})); err != nil {
		t.Fatal(err)
	}
	other := "+14155550109"
	if _, err := w.Stores.Users.Update(t.Context(), "ada", user.Change{Phone: &other}, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.wantMismatch(t, "a code after a change of the number", redeem(w.box.Mails()[0].Text[:6], &w.ada))
}
