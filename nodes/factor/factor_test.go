package factor_test

import (
	"bytes"
	"encoding/base32"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes"
	"sluice/nodes/factor"
	"sluice/nodes/memory"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Of RFC 4226, appendix D, and RFC 6238, appendix B, whose codes have eight digits.
func TestCodesAreThoseOfTheStandards(t *testing.T) {
	secret := []byte("12345678901234567890")
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := factor.Digits(secret, int64(step)); got != want {
			t.Errorf("Digits(%d) = %s, want %s", step, got, want)
		}
	}
	for unix, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := factor.Digits(secret, factor.Step(time.Unix(unix, 0))); got != want[2:] {
			t.Errorf("Digits() at %d = %s, want the last six of %s", unix, got, want)
		}
	}
}

func TestURIIsReadByPrograms(t *testing.T) {
	text := factor.URI([]byte("12345678901234567890"), "Käse & Co: x", "ada+1@example.com")
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Käse & Co  x:ada+1@example.com" || q.Get("secret") != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" ||
		q.Get("issuer") != "Käse & Co  x" || q.Get("digits") != "6" || q.Get("period") != "30" || q.Get("algorithm") != "SHA1" || strings.Contains(text, " ") {
		t.Errorf("URI() = %s, which reads as %+v", text, u)
	}
}

func TestSealedSecretOpensForItsUserAndKeyOnly(t *testing.T) {
	key, other, none := factor.Key{1}, factor.Key{2}, factor.Key{}
	secret := []byte("12345678901234567890")
	kept, err := factor.Seal(key, "ada", secret)
	if err != nil || bytes.Contains(kept, secret) {
		t.Fatalf("Seal() = %x, %v, want the secret sealed", kept, err)
	}
	again, err := factor.Seal(key, "ada", secret)
	if err != nil || bytes.Equal(kept, again) {
		t.Errorf("Seal() twice = %x, %v, want something else each time", again, err)
	}
	if got, err := factor.Open(key, "ada", kept); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("Open() = %x, %v, want %x", got, err, secret)
	}
	spoilt := slices.Clone(kept)
	spoilt[len(spoilt)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"of another user":   func() ([]byte, error) { return factor.Open(key, "eve", kept) },
		"under another key": func() ([]byte, error) { return factor.Open(other, "ada", kept) },
		"without a key":     func() ([]byte, error) { return factor.Open(none, "ada", kept) },
		"spoilt":            func() ([]byte, error) { return factor.Open(key, "ada", spoilt) },
		"cut":               func() ([]byte, error) { return factor.Open(key, "ada", kept[:8]) },
		"empty":             func() ([]byte, error) { return factor.Open(key, "ada", nil) },
	} {
		if got, err := open(); err == nil {
			t.Errorf("Open() %s = %x, want an error", name, got)
		}
	}
	bare, err := factor.Seal(none, "ada", secret)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := factor.Open(key, "ada", bare); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("Open() of what was kept before there was a key = %x, %v, want %x", got, err, secret)
	}
}

// A phone is the program of a user.
type phone []byte

// shows returns the code of the step so far from the present.
func (p phone) shows(steps int64) string { return factor.Digits(p, factor.Step(time.Now())+steps) }

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// begin returns a user who has enrolled.
func begin(t *testing.T) (nodes.Stores, factor.Keeper, user.ProvenID, phone) {
	t.Helper()
	s := memory.New()
	if err := s.Users.Create(t.Context(), user.User{ID: "ada", Email: "ada@example.com", EmailKey: "ada@example.com"}, ""); err != nil {
		t.Fatal(err)
	}
	k, id := factor.NewKeeper(s.Factors, s.Users, factor.Key{1}), user.ProvenID{ID: "ada", Time: time.Now()}
	out, err := factor.Enroll(t.Context(), k, factor.EnrollIn{UserID: id, Issuer: "Shop"})
	if err != nil {
		t.Fatalf("enroll = %v, want nil", err)
	}
	secret, err := letters.DecodeString(out.Secret)
	if err != nil || len(secret) != 20 || !strings.Contains(out.URI, out.Secret) || !strings.Contains(out.URI, "Shop:ada%40example.com") {
		t.Fatalf("enroll = %+v, %v, want a secret of 20 bytes and its URI", out, err)
	}
	return s, k, id, secret
}

// active returns a user whose second factor counts.
func active(t *testing.T) (nodes.Stores, factor.Keeper, user.ProvenID, phone) {
	t.Helper()
	s, k, id, p := begin(t)
	if _, err := factor.Confirm(t.Context(), k, factor.CodeIn{UserID: id, Code: p.shows(0)}); err != nil {
		t.Fatalf("confirm = %v, want nil", err)
	}
	time.Sleep(time.Minute) // of the bubble: the code was used
	return s, k, id, p
}

func TestFactorCountsOnceItIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k, id, p := begin(t)
		counts := func(want bool) {
			t.Helper()
			if got, err := s.Factors.Active(t.Context(), "ada"); err != nil || got != want {
				t.Errorf("Active() = %t, %v, want %t", got, err, want)
			}
			if got, err := factor.State(t.Context(), k, "ada"); err != nil || got != want {
				t.Errorf("state = %t, %v, want %t", got, err, want)
			}
		}
		in := func(code string) factor.CodeIn { return factor.CodeIn{UserID: id, Code: code} }
		if _, err := factor.Check(t.Context(), k, in(p.shows(0))); !errors.Is(err, factor.Mismatch) {
			t.Errorf("check before confirm = %v, want %v", err, factor.Mismatch)
		}
		if _, err := factor.Confirm(t.Context(), k, in("000000x")); !errors.Is(err, factor.Mismatch) {
			t.Errorf("confirm(wrong) = %v, want %v", err, factor.Mismatch)
		}
		counts(false)
		if _, err := factor.Confirm(t.Context(), k, in(p.shows(0)[:3]+" "+p.shows(0)[3:])); err != nil {
			t.Errorf("confirm = %v, want nil", err)
		}
		counts(true)
		if _, err := factor.Confirm(t.Context(), k, in(p.shows(1))); !errors.Is(err, factor.Active) {
			t.Errorf("confirm again = %v, want %v", err, factor.Active)
		}
		if _, err := factor.Enroll(t.Context(), k, factor.EnrollIn{UserID: id}); !errors.Is(err, factor.Active) {
			t.Errorf("enroll again = %v, want %v", err, factor.Active)
		}
	})
}

func TestCodesOfTheProgramAreGoodOnceAndForAMinuteOrSo(t *testing.T) {
	for name, tt := range map[string]struct {
		steps int64
		want  error
	}{
		"two steps ago": {-2, factor.Mismatch}, "the step before": {-1, nil}, "now": {0, nil}, "the next step": {1, nil}, "two steps on": {2, factor.Mismatch},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, k, id, p := active(t)
				whole := id
				id.Lacks = true
				in := factor.CodeIn{UserID: id, Code: p.shows(tt.steps)}
				out, err := factor.Check(t.Context(), k, in)
				if !errors.Is(err, tt.want) {
					t.Fatalf("check = %v, want %v", err, tt.want)
				}
				if err == nil && out.UserID != whole {
					t.Errorf("check gives %+v, want a proof that lacks nothing", out.UserID)
				}
				if out, err := factor.Check(t.Context(), k, in); !errors.Is(err, factor.Mismatch) || out.UserID.ID != "" {
					t.Errorf("check again = %+v, %v, want %v", out, err, factor.Mismatch)
				}
				if err == nil && tt.steps > -1 {
					in.Code = p.shows(tt.steps - 1)
					if _, err := factor.Check(t.Context(), k, in); !errors.Is(err, factor.Mismatch) {
						t.Errorf("check of the step before = %v, want %v", err, factor.Mismatch)
					}
				}
			})
		})
	}
}

func TestOfManyWhoUseACodeOneDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, id, p := active(t)
		var wg sync.WaitGroup
		errs := make([]error, factor.MaxTries)
		for i := range errs {
			wg.Go(func() { _, errs[i] = factor.Check(t.Context(), k, factor.CodeIn{UserID: id, Code: p.shows(0)}) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else if !errors.Is(err, factor.Mismatch) {
				t.Errorf("check = %v, want nil or %v", err, factor.Mismatch)
			}
		}
		if won != 1 {
			t.Errorf("a code was used %d times, want once", won)
		}
	})
}

func TestWhoGuessesIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, k, id, p := active(t)
		for range factor.MaxTries - 1 {
			if _, err := factor.Check(t.Context(), k, factor.CodeIn{UserID: id, Code: "wrong"}); !errors.Is(err, factor.Mismatch) {
				t.Fatalf("check(wrong) = %v, want %v", err, factor.Mismatch)
			}
		}
		if _, err := factor.Redeem(t.Context(), k, factor.RedeemIn{UserID: id, Code: "wrong"}); !errors.Is(err, factor.Mismatch) {
			t.Fatalf("redeem(wrong) = %v, want %v", err, factor.Mismatch)
		}
		_, checked := factor.Check(t.Context(), k, factor.CodeIn{UserID: id, Code: p.shows(0)})
		_, redeemed := factor.Redeem(t.Context(), k, factor.RedeemIn{UserID: id, Code: "wrong"})
		if !errors.Is(checked, factor.Throttled) || !errors.Is(redeemed, factor.Throttled) {
			t.Errorf("check and redeem after five wrong tries = %v and %v, want %v", checked, redeemed, factor.Throttled)
		}
		time.Sleep(factor.Window)
		if _, err := factor.Check(t.Context(), k, factor.CodeIn{UserID: id, Code: p.shows(0)}); err != nil {
			t.Errorf("check a quarter of an hour later = %v, want nil", err)
		}
	})
}

func TestRecoveryCodesAreGoodOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k, id, _ := active(t)
		out, err := factor.Recovery(t.Context(), k, factor.RecoveryIn{UserID: id, Count: 10})
		if err != nil || len(out.Codes) != 10 {
			t.Fatalf("recovery = %+v, %v, want ten codes", out, err)
		}
		whole := id
		id.Lacks = true
		for i, c := range out.Codes {
			if got := len(c.Code); got != 19 {
				t.Errorf("a recovery code has %d characters, want 19", got)
			}
			in := factor.RedeemIn{UserID: id, Code: c.Code}
			if i%2 == 1 {
				in.Code = strings.ToUpper(strings.ReplaceAll(c.Code, "-", " "))
			}
			if got, err := factor.Redeem(t.Context(), k, in); err != nil || got.UserID != whole {
				t.Errorf("redeem = %+v, %v, want a proof that lacks nothing", got, err)
			}
			if _, err := factor.Redeem(t.Context(), k, in); !errors.Is(err, factor.Mismatch) {
				t.Errorf("redeem again = %v, want %v", err, factor.Mismatch)
			}
		}
		if f, err := s.Factors.Try(t.Context(), "ada", time.Now()); err != nil || len(f.Recovery) > 0 {
			t.Errorf("%d recovery codes are left, %v, want none", len(f.Recovery), err)
		}
	})
}

func TestWhoActsOrVouchesForAUserChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k, id, p := active(t)
		acting, vouched := id, user.ProvenID{ID: "ada"}
		acting.Actor = "eve"
		for name, id := range map[string]user.ProvenID{"acts": acting, "vouches": vouched} {
			_, enrolled := factor.Enroll(t.Context(), k, factor.EnrollIn{UserID: id})
			_, confirmed := factor.Confirm(t.Context(), k, factor.CodeIn{UserID: id, Code: p.shows(0)})
			_, made := factor.Recovery(t.Context(), k, factor.RecoveryIn{UserID: id, Count: 1})
			_, deleted := factor.Delete(t.Context(), k, factor.ProofIn{UserID: id})
			for call, err := range map[string]error{"totp.enroll": enrolled, "totp.confirm": confirmed, "recovery.create": made, "totp.delete": deleted} {
				if !errors.Is(err, user.Stale) {
					t.Errorf("%s by somebody who %s for the user = %v, want %v", call, name, err, user.Stale)
				}
			}
		}
		if on, err := s.Factors.Active(t.Context(), "ada"); err != nil || !on {
			t.Errorf("Active() = %t, %v, want true", on, err)
		}
	})
}

func TestProofThatLacksChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, k, id, _ := active(t)
		lacking, none := id, user.ProvenID{ID: "eve", Time: time.Now()}
		lacking.Lacks = true
		_, recovered := factor.Recovery(t.Context(), k, factor.RecoveryIn{UserID: lacking, Count: 1})
		_, deleted := factor.Delete(t.Context(), k, factor.ProofIn{UserID: lacking})
		for call, err := range map[string]error{"recovery.create": recovered, "totp.delete": deleted} {
			if !errors.Is(err, user.SecondFactorRequired) {
				t.Errorf("%s = %v, want %v", call, err, user.SecondFactorRequired)
			}
		}
		_, confirmed := factor.Confirm(t.Context(), k, factor.CodeIn{UserID: none})
		_, made := factor.Recovery(t.Context(), k, factor.RecoveryIn{UserID: none, Count: 1})
		if !errors.Is(confirmed, factor.NotEnrolled) || !errors.Is(made, factor.NotEnrolled) {
			t.Errorf("confirm and recovery of a user without one = %v and %v, want %v", confirmed, made, factor.NotEnrolled)
		}
		if _, err := s.Sessions.End(t.Context(), session.Which{UserID: "ada"}, time.Now()); err != nil {
			t.Fatal(err)
		}
		_, deleted = factor.Delete(t.Context(), k, factor.ProofIn{UserID: id})
		_, enrolled := factor.Enroll(t.Context(), k, factor.EnrollIn{UserID: id})
		if !errors.Is(deleted, user.Stale) || !errors.Is(enrolled, user.Stale) {
			t.Errorf("delete and enroll with a stale proof = %v and %v, want %v", deleted, enrolled, user.Stale)
		}
		id.Epoch++
		if _, err := factor.Delete(t.Context(), k, factor.ProofIn{UserID: id}); err != nil {
			t.Errorf("delete = %v, want nil", err)
		}
		if on, err := s.Factors.Active(t.Context(), "ada"); err != nil || on {
			t.Errorf("Active() after delete = %t, %v, want false", on, err)
		}
	})
}
