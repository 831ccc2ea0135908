package code_test

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/code"
	"sluice/nodes/link"
	"sluice/nodes/mail"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// A world is a store with a user in it, and what is sent from it.
type world struct {
	nodes.Stores
	code.Means
	box *mail.Mailbox
	ada user.User
}

// atOnce is a queue that waits for nothing, or takes nothing.
type atOnce struct{ full bool }

func (q atOnce) Add(job func(context.Context) error) bool {
	if !q.full {
		_ = job(context.Background())
	}
	return !q.full
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, box := memory.New(), mail.NewMailbox(100, nil)
	templates, problems := mail.ReadTemplates(fstest.MapFS{"mail/x.txt": {Data: []byte("Subject: x\n\n{$code} {$link} {$lasts} {$email} {$more}")}})
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	ada := user.User{ID: "ada", Email: "Ada@example.com", EmailKey: "ada@example.com", EmailVerified: true}
	if err := s.Users.Create(t.Context(), ada, "hash"); err != nil {
		t.Fatal(err)
	}
	return &world{Stores: s, box: box, ada: ada, Means: code.Means{
		Codes: s.Codes, Users: s.Users, Passwords: s.Passwords, Factors: s.Factors, Key: code.NewKey(), Limits: s.Limits,
		Post: mail.Post{Sender: box, Texts: box, Queue: atOnce{}, Templates: templates, Sites: link.Sites{App: &url.URL{Scheme: "https", Host: "app.test"}, Server: &url.URL{Scheme: "https", Host: "api.test"}}},
	}}
}

// in completes the input of code.send with its defaults.
func in(given code.SendIn) code.SendIn {
	given.Purpose, given.Template, given.Digits, given.Values = "sign-in", "x", 6, map[string]any{"more": "here", "code": "mine"}
	if given.Lifetime == 0 {
		given.Lifetime = 10 * time.Minute
	}
	if given.Form == "" {
		given.Form = "link"
	}
	return given
}

// send has a code sent and returns it.
func (w *world) send(t *testing.T, given code.SendIn) string {
	t.Helper()
	before := len(w.box.Mails())
	if err := code.Send(t.Context(), w.Means, in(given)); err != nil {
		t.Fatalf("code.send = %v, want nil", err)
	}
	mails := w.box.Mails()
	if len(mails) != before+1 {
		t.Fatalf("%d mails were sent, want one", len(mails)-before)
	}
	secret, _, _ := strings.Cut(mails[0].Text, " ")
	return secret
}

// wantMismatch fails the test unless a code opens nothing.
func (w *world) wantMismatch(t *testing.T, what string, in code.RedeemIn) {
	t.Helper()
	if out, err := code.Redeem(t.Context(), w.Means, in); !errors.Is(err, code.Mismatch) {
		t.Errorf("code.redeem(%s) = %+v, %v, want %v", what, out, err, code.Mismatch)
	}
}

func redeem(secret string, u *user.User) code.RedeemIn {
	return code.RedeemIn{Purpose: "sign-in", Code: secret, User: u}
}

func TestSentCodeProvesTheUser(t *testing.T) {
	for form, pattern := range map[string]string{
		"link":   `^slc_[0-9A-Za-z_-]{64} https://app.test/open\?code=slc_[0-9A-Za-z_-]{64} 10 minutes Ada@example.com here$`,
		"digits": `^[0-9]{6} https://app.test/open\?code=[0-9]{6} 10 minutes Ada@example.com here$`,
	} {
		t.Run(form, func(t *testing.T) {
			w := newWorld(t)
			secret := w.send(t, code.SendIn{User: &w.ada, Form: form, Page: "/open"})
			if text := w.box.Mails()[0].Text; !regexp.MustCompile(pattern).MatchString(text) {
				t.Errorf("the mail says %s, want %s", text, pattern)
			}
			out, err := code.Redeem(t.Context(), w.Means, redeem(secret, &w.ada))
			if since := time.Since(out.UserID.Time); since < -time.Second || since > time.Minute {
				t.Errorf("code.redeem proves the user %v ago, want just now", since)
			}
			out.UserID.Time = time.Time{}
			if want := (code.RedeemOut{UserID: user.ProvenID{ID: "ada"}, Email: "Ada@example.com"}); err != nil || out != want {
				t.Errorf("code.redeem = %+v, %v, want %+v", out, err, want)
			}
			w.wantMismatch(t, "again", redeem(secret, &w.ada))
		})
	}
}

func TestDigitsAreReadAsPeopleWriteThem(t *testing.T) {
	w := newWorld(t)
	d := w.send(t, code.SendIn{User: &w.ada, Form: "digits"})
	if _, err := code.Redeem(t.Context(), w.Means, redeem(" "+d[:3]+"-"+d[3:]+" ", &w.ada)); err != nil {
		t.Errorf("code.redeem(digits in groups) = %v, want nil", err)
	}
}

func TestNobodyElseIsSentMail(t *testing.T) {
	w := newWorld(t)
	shut, unverified := w.ada, w.ada
	shut.Disabled, unverified.EmailVerified = true, false
	for name, given := range map[string]code.SendIn{
		"absent":              {Email: "eve@example.com"},
		"absent, digits":      {Email: "eve@example.com", Form: "digits"},
		"disabled":            {User: &shut},
		"disabled, digits":    {User: &shut, Form: "digits"},
		"not verified":        {User: &unverified, Verified: true},
		"not verified,digits": {User: &unverified, Verified: true, Form: "digits"},
	} {
		if err := code.Send(t.Context(), w.Means, in(given)); err != nil || len(w.box.Mails()) > 0 {
			t.Errorf("code.send(%s) = %v with %d mails, want nil and none", name, err, len(w.box.Mails()))
		}
	}
	w = newWorld(t)
	w.send(t, code.SendIn{User: &w.ada, Verified: true})
}

// Digits of nobody are kept, so that trying them takes the same way through the
// store as those of somebody, and their tries end as well.
func TestDigitsOfNobodyLookTheSameAndOpenNothing(t *testing.T) {
	w := newWorld(t)
	if err := code.Send(t.Context(), w.Means, in(code.SendIn{Email: "Eve@example.com", Form: "digits"})); err != nil {
		t.Fatal(err)
	}
	slot := code.SlotOf("sign-in", "address\x00eve@example.com")
	for tries := range 7 {
		c, err := w.Stores.Codes.Take(t.Context(), slot, code.Hash{}, time.Now())
		if !errors.Is(err, code.ErrNoCode) {
			t.Fatalf("Take() %d = %+v, %v, want %v", tries, c, err, code.ErrNoCode)
		}
	}
	made, secret := w.New(code.Wanted{Purpose: "sign-in", To: "eve@example.com", Digits: 6, Lifetime: time.Minute, At: time.Now()})
	if made.Slot != slot {
		t.Errorf("the slot of digits of nobody is %x, want that of the address, %x", made.Slot, slot)
	}
	if err := w.Stores.Codes.Put(t.Context(), made, time.Now()); err != nil {
		t.Fatal(err)
	}
	w.wantMismatch(t, "right digits of nobody", code.RedeemIn{Purpose: "sign-in", Code: secret, Email: "EVE@example.com"})
}

func TestCodesEndWithWhatTheyWereMadeFor(t *testing.T) {
	shut, email := true, "countess@example.com"
	changes := map[string]func(*world) error{
		"password": func(w *world) error { return w.Stores.Passwords.SetHash(t.Context(), "ada", "", "other") },
		"sessions": func(w *world) error {
			_, err := w.Sessions.End(t.Context(), session.Which{UserID: "ada"}, time.Now())
			return err
		},
		"address": func(w *world) error {
			_, err := w.Stores.Users.Update(t.Context(), "ada", user.Change{Email: &email, EmailKey: &email}, time.Now())
			return err
		},
		"disabled": func(w *world) error {
			_, err := w.Stores.Users.Update(t.Context(), "ada", user.Change{Disabled: &shut}, time.Now())
			return err
		},
	}
	for name, change := range changes {
		for _, form := range []string{"link", "digits"} {
			w := newWorld(t)
			secret := w.send(t, code.SendIn{User: &w.ada, Form: form})
			if err := change(w); err != nil {
				t.Fatal(err)
			}
			w.wantMismatch(t, form+" after a change of "+name, redeem(secret, &w.ada))
		}
	}
}

func TestCodesOpenNothingElse(t *testing.T) {
	w := newWorld(t)
	eve := user.User{ID: "eve", Email: "eve@example.com", EmailKey: "eve@example.com"}
	if err := w.Stores.Users.Create(t.Context(), eve, ""); err != nil {
		t.Fatal(err)
	}
	link, digits := w.send(t, code.SendIn{User: &w.ada}), w.send(t, code.SendIn{User: &eve, Form: "digits"})
	w.wantMismatch(t, "link for another purpose", code.RedeemIn{Purpose: "reset", Code: link})
	w.wantMismatch(t, "digits for another purpose", code.RedeemIn{Purpose: "reset", Code: digits, User: &eve})
	w.wantMismatch(t, "digits of somebody else", redeem(digits, &w.ada))
	w.wantMismatch(t, "digits without a user", code.RedeemIn{Purpose: "sign-in", Code: digits})
	w.wantMismatch(t, "digits of an address with a user", code.RedeemIn{Purpose: "sign-in", Code: digits, Email: eve.Email})
	w.wantMismatch(t, "no code", redeem("", &w.ada))
	w.wantMismatch(t, "a long code", redeem(strings.Repeat("1", 1<<20), &w.ada))
	w.wantMismatch(t, "a part of a link", redeem(link[:40], &w.ada))
	if _, err := code.Redeem(t.Context(), w.Means, redeem(link, nil)); err != nil {
		t.Errorf("code.redeem(link) behind all that = %v, want nil", err)
	}
	if _, err := code.Redeem(t.Context(), w.Means, redeem(digits, &eve)); err != nil {
		t.Errorf("code.redeem(digits) behind all that = %v, want nil", err)
	}
	again := w.send(t, code.SendIn{User: &w.ada})
	w.wantMismatch(t, "link of somebody else", redeem(again, &eve))
}

func TestCodesEndInTime(t *testing.T) {
	for _, form := range []string{"link", "digits"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			secret := w.send(t, code.SendIn{User: &w.ada, Form: form, Lifetime: 10 * time.Minute})
			time.Sleep(10 * time.Minute)
			w.wantMismatch(t, form+" after ten minutes", redeem(secret, &w.ada))
			secret = w.send(t, code.SendIn{User: &w.ada, Form: form, Lifetime: 10 * time.Minute})
			time.Sleep(10*time.Minute - time.Millisecond)
			if _, err := code.Redeem(t.Context(), w.Means, redeem(secret, &w.ada)); err != nil {
				t.Errorf("code.redeem(%s) just before the end = %v, want nil", form, err)
			}
		})
	}
}

func TestNewerCodeEndsTheOneBeforeButNotWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.send(t, code.SendIn{User: &w.ada})
		time.Sleep(time.Minute - time.Millisecond)
		for range 5 {
			if err := code.Send(t.Context(), w.Means, in(code.SendIn{User: &w.ada})); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(w.box.Mails()); n != 1 {
			t.Fatalf("%d mails within a minute, want 1", n)
		}
		time.Sleep(time.Millisecond)
		second := w.send(t, code.SendIn{User: &w.ada})
		w.wantMismatch(t, "first", redeem(first, &w.ada))
		if _, err := code.Redeem(t.Context(), w.Means, redeem(second, &w.ada)); err != nil {
			t.Errorf("code.redeem(second) = %v, want nil", err)
		}
		w.send(t, code.SendIn{User: &w.ada}) // at once, as the one before was used
	})
}

func TestOfManyWhoRedeemACodeOneDoes(t *testing.T) {
	for _, form := range []string{"link", "digits"} {
		w := newWorld(t)
		secret := w.send(t, code.SendIn{User: &w.ada, Form: form})
		var wg sync.WaitGroup
		errs := make([]error, 50)
		for i := range errs {
			wg.Go(func() { _, errs[i] = code.Redeem(t.Context(), w.Means, redeem(secret, &w.ada)) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, code.Mismatch) {
				t.Errorf("code.redeem = %v, want nil or %v", err, code.Mismatch)
			}
		}
		if won != 1 {
			t.Errorf("a code of the form %s was redeemed %d times, want once", form, won)
		}
	}
}

func TestCodeBetweenTwoStepsIsOfTheProof(t *testing.T) {
	w := newWorld(t)
	id := user.ProvenID{ID: "ada", Time: time.Now()}
	out, err := code.Create(t.Context(), w.Means, code.CreateIn{Purpose: "sign-in", UserID: id, Uses: 2, Lifetime: time.Minute})
	if err != nil {
		t.Fatalf("code.create = %v, want nil", err)
	}
	for range 2 {
		got, err := code.Redeem(t.Context(), w.Means, redeem(out.Code, nil))
		if err != nil || got.UserID.ID != "ada" || got.UserID.Actor != "" || got.Email != "" {
			t.Errorf("code.redeem = %+v, %v, want %v", got, err, id)
		}
	}
	w.wantMismatch(t, "a third time", redeem(out.Code, nil))
	for name, stale := range map[string]user.ProvenID{
		"older": {ID: "ada", Epoch: -1, Time: id.Time}, "of nobody": {ID: "eve", Time: id.Time},
		"of who acts for the user": {ID: "ada", Actor: "eve", Time: id.Time}, "of who vouches for the user": {ID: "ada"},
	} {
		if _, err := code.Create(t.Context(), w.Means, code.CreateIn{UserID: stale, Uses: 1}); !errors.Is(err, user.Stale) {
			t.Errorf("code.create with a proof that is %s = %v, want %v", name, err, user.Stale)
		}
	}
}

func TestProofByMailLacksTheSecondFactor(t *testing.T) {
	w := newWorld(t)
	secret := w.send(t, code.SendIn{User: &w.ada})
	if err := errors.Join(w.Stores.Factors.Enroll(t.Context(), "ada", []byte("x")), w.Stores.Factors.Use(t.Context(), "ada", []byte("x"), 1)); err != nil {
		t.Fatal(err)
	}
	out, err := code.Redeem(t.Context(), w.Means, redeem(secret, nil))
	if err != nil || !out.SecondFactor || !out.UserID.Lacks {
		t.Errorf("code.redeem = %+v, %v, want a proof that lacks the second factor", out, err)
	}
}

func TestSendLeavesByOutcome(t *testing.T) {
	w := newWorld(t)
	for _, u := range []*user.User{&w.ada, nil} {
		if err := code.Send(t.Context(), w.Means, in(code.SendIn{User: u, Email: "no address"})); !errors.Is(err, user.InvalidEmail) {
			t.Errorf("code.send(no address) = %v, want %v", err, user.InvalidEmail)
		}
		m := w.Means
		m.Post.Queue = atOnce{full: true}
		if err := code.Send(t.Context(), m, in(code.SendIn{User: u, Email: "ada@example.com"})); !errors.Is(err, mail.Busy) {
			t.Errorf("code.send while too many mails wait = %v, want %v", err, mail.Busy)
		}
	}
	given := in(code.SendIn{User: &w.ada})
	given.Template = "y"
	if err := code.Send(t.Context(), w.Means, given); err == nil || len(w.box.Mails()) > 0 {
		t.Errorf("code.send with a template that is not there = %v, %d mails, want an error and none", err, len(w.box.Mails()))
	}
}

// away is a store that cannot be reached.
type away struct{ code.Store }

var errAway = errors.New("away")

func (away) Put(context.Context, code.Code, time.Time) error { return errAway }
func (away) Take(context.Context, code.Slot, code.Hash, time.Time) (code.Code, error) {
	return code.Code{}, errAway
}

func TestStoreErrorsAreNoOutcomes(t *testing.T) {
	w := newWorld(t)
	w.Means.Codes = away{}
	if _, err := code.Redeem(t.Context(), w.Means, redeem("123456", &w.ada)); !errors.Is(err, errAway) || errors.Is(err, code.Mismatch) {
		t.Errorf("code.redeem = %v, want it to wrap %v", err, errAway)
	}
	if _, err := code.Create(t.Context(), w.Means, code.CreateIn{UserID: user.ProvenID{ID: "ada", Time: time.Now()}}); !errors.Is(err, errAway) {
		t.Errorf("code.create = %v, want it to wrap %v", err, errAway)
	}
	if err := code.Send(t.Context(), w.Means, in(code.SendIn{User: &w.ada})); err != nil || len(w.box.Mails()) > 0 {
		t.Errorf("code.send = %v with %d mails, want nil and no mail of a code that is not kept", err, len(w.box.Mails()))
	}
}
