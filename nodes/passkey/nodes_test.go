package passkey_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authn "github.com/descope/virtualwebauthn"

	"sluice/nodes"
	"sluice/nodes/limit"
	"sluice/nodes/memory"
	"sluice/nodes/passkey"
	"sluice/nodes/user"
)

// A world is a server that asks for passkeys, and a device of a user.
type world struct {
	nodes.Stores
	passkey.Keeper
	t      *testing.T
	page   authn.RelyingParty
	device authn.Authenticator
	key    authn.Credential
	ways   int
}

var ada, eve = user.ProvenID{ID: "ada", Time: time.UnixMilli(1)}, user.ProvenID{ID: "eve", Time: time.UnixMilli(1)}

// newKey returns a key pair. The library of the device writes one in a hundred
// without the zeros it begins with, which no real device does.
func newKey() authn.Credential {
	const whole = 77 // bytes
	for {
		if k := authn.NewCredential(authn.KeyTypeEC2); len(k.Key.AttestationData()) == whole {
			return k
		}
	}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	party, err := passkey.NewParty(passkey.Settings{Domain: "example.com", Origins: []string{"https://app.example.com"}})
	if err != nil {
		t.Fatalf("NewParty() = %v, want nil", err)
	}
	w := &world{
		Stores: memory.New(), t: t, ways: 2,
		page:   authn.RelyingParty{ID: "example.com", Name: "example.com", Origin: "https://app.example.com"},
		device: authn.NewAuthenticatorWithOptions(authn.AuthenticatorOptions{UserHandle: []byte("ada"), BackupEligible: true, BackupState: true}),
		key:    newKey(),
	}
	w.Keeper = passkey.NewKeeper(party, w.Passkeys, w.Attempts, w.Users, func(context.Context, string) (int, error) { return w.ways, nil })
	for _, id := range []string{"ada", "eve"} {
		if err := w.Users.Create(t.Context(), user.User{ID: id, Email: id + "@example.com", EmailKey: id + "@example.com"}, ""); err != nil {
			t.Fatalf("Users.Create(%s) = %v, want nil", id, err)
		}
	}
	return w
}

// text is options as a page has them.
func (w *world) text(o passkey.Offer) string {
	w.t.Helper()
	text, err := json.Marshal(map[string]any{"publicKey": o.Options})
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("the device says %s, %v, want JSON", text, err)
	}
	return v
}

// made is what the device makes of an offer.
func (w *world) made(o passkey.Offer) map[string]any {
	w.t.Helper()
	options, err := authn.ParseAttestationOptions(w.text(o))
	if err != nil {
		w.t.Fatalf("options %s = %v, want them readable", w.text(o), err)
	}
	return object(w.t, authn.CreateAttestationResponse(w.page, w.device, w.key, *options))
}

// signed is how the device answers a challenge.
func (w *world) signed(o passkey.Offer) map[string]any {
	w.t.Helper()
	options, err := authn.ParseAssertionOptions(w.text(o))
	if err != nil {
		w.t.Fatalf("options %s = %v, want them readable", w.text(o), err)
	}
	return object(w.t, authn.CreateAssertionResponse(w.page, w.device, w.key, *options))
}

func (w *world) offer(of user.ProvenID) passkey.Offer {
	w.t.Helper()
	o, err := w.Offer(w.t.Context(), passkey.OfferIn{UserID: of})
	if err != nil {
		w.t.Fatalf("offer = %v, want nil", err)
	}
	return o
}

func (w *world) register() passkey.Passkey {
	w.t.Helper()
	o := w.offer(ada)
	p, err := w.Register(w.t.Context(), passkey.RegisterIn{UserID: ada, Attempt: o.Attempt, Credential: w.made(o), Name: "phone"})
	if err != nil {
		w.t.Fatalf("register = %v, want nil", err)
	}
	return p
}

func (w *world) challenge(of *user.ProvenID) passkey.Offer {
	w.t.Helper()
	o, err := w.Challenge(w.t.Context(), passkey.ChallengeIn{UserID: of})
	if err != nil {
		w.t.Fatalf("challenge = %v, want nil", err)
	}
	return o
}

func TestAPasskeyProvesWhoItsUserIs(t *testing.T) {
	w := newWorld(t)
	p := w.register()
	if p.Name != "phone" || !p.BackedUp || p.LastUsedDtm != nil || strings.Contains(string(p.State), "attestationObject\":\"o") {
		t.Errorf("register = %+v, want phone, backed up, never used, without an attestation", p)
	}
	for _, of := range []*user.ProvenID{nil, &ada, nil} {
		w.key.Counter++
		o := w.challenge(of)
		if allowed, there := o.Options["allowCredentials"].([]any); there != (of != nil) || there && len(allowed) != 1 {
			t.Errorf("challenge of %v allows %v, want the user's only where the user is known", of, o.Options["allowCredentials"])
		}
		if o.Options["userVerification"] != "required" {
			t.Errorf("challenge asks for user verification %v, want required", o.Options["userVerification"])
		}
		got, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o), UserID: of})
		if err != nil || got.UserID.ID != "ada" || got.UserID.Time.IsZero() || got.UserID.Lacks || got.User.ID != "ada" || got.Passkey.LastUsedDtm == nil {
			t.Errorf("verify = %+v, %v, want ada", got, err)
		}
	}
}

func TestAnOfferAsksForAPasskeyThatIsNew(t *testing.T) {
	w := newWorld(t)
	w.register()
	o := w.offer(ada)
	if excluded, _ := o.Options["excludeCredentials"].([]any); len(excluded) != 1 {
		t.Errorf("offer excludes %v, want the passkey that there is", o.Options["excludeCredentials"])
	}
	chosen, _ := o.Options["authenticatorSelection"].(map[string]any)
	if chosen["residentKey"] != "required" || chosen["userVerification"] != "required" {
		t.Errorf("offer asks for %v, want the credential kept and the user verified", chosen)
	}
	_, err := w.Register(t.Context(), passkey.RegisterIn{UserID: ada, Attempt: o.Attempt, Credential: w.made(o), Name: "again"})
	if !errors.Is(err, passkey.Taken) {
		t.Errorf("register of the same credential = %v, want %v", err, passkey.Taken)
	}
}

func TestWhatIsNotFromTheUsersDeviceIsNotRegistered(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, in *passkey.RegisterIn)
		before func(w *world)
		want   error
	}{
		"another page":                   {nil, func(w *world) { w.page.Origin = "https://app.example.com.evil.example" }, passkey.Unusable},
		"a page without TLS":             {nil, func(w *world) { w.page.Origin = "http://app.example.com" }, passkey.Unusable},
		"another domain":                 {nil, func(w *world) { w.page.ID = "evil.example" }, passkey.Unusable},
		"user not verified":              {nil, func(w *world) { w.device.Options.UserNotVerified = true }, passkey.Unusable},
		"user not present":               {nil, func(w *world) { w.device.Options.UserNotPresent = true }, passkey.Unusable},
		"backed up, though not eligible": {nil, func(w *world) { w.device.Options.BackupEligible = false }, passkey.Unusable},
		"nothing":                        {func(_ *world, in *passkey.RegisterIn) { in.Credential = nil }, nil, passkey.Unusable},
		"an empty object":                {func(_ *world, in *passkey.RegisterIn) { in.Credential = map[string]any{} }, nil, passkey.Unusable},
		"an answer to another":           {func(w *world, in *passkey.RegisterIn) { in.Credential = w.made(w.offer(ada)) }, nil, passkey.Unusable},
		"another user":                   {func(_ *world, in *passkey.RegisterIn) { in.UserID = eve }, nil, passkey.Expired},
		"an unknown attempt":             {func(_ *world, in *passkey.RegisterIn) { in.Attempt = "AAAA" }, nil, passkey.Expired},
		"an attempt to sign in":          {func(w *world, in *passkey.RegisterIn) { in.Attempt = w.challenge(nil).Attempt }, nil, passkey.Expired},
		"a proof that has ended":         {func(_ *world, in *passkey.RegisterIn) { in.UserID.Epoch = 1 }, nil, user.Stale},
		"somebody who acts for the user": {func(_ *world, in *passkey.RegisterIn) { in.UserID.Actor = "eve" }, nil, user.Stale},
		"somebody's word for the user":   {func(_ *world, in *passkey.RegisterIn) { in.UserID.Time = time.Time{} }, nil, user.Stale},
		"a proof without second factor":  {func(_ *world, in *passkey.RegisterIn) { in.UserID.Lacks = true }, nil, user.SecondFactorRequired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.before != nil {
				c.before(w)
			}
			o := w.offer(ada)
			in := passkey.RegisterIn{UserID: ada, Attempt: o.Attempt, Credential: w.made(o), Name: "phone"}
			if c.change != nil {
				c.change(w, &in)
			}
			if got, err := w.Register(t.Context(), in); !errors.Is(err, c.want) {
				t.Errorf("register = %+v, %v, want %v", got, err, c.want)
			}
			if all, err := w.Passkeys.OfUser(t.Context(), "ada"); err != nil || len(all) != 0 {
				t.Errorf("ada has %+v, %v, want none", all, err)
			}
		})
	}
}

func TestWhatThePasskeyDidNotSignProvesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world, in *passkey.VerifyIn)
		before func(w *world)
		want   error
	}{
		"another page":          {nil, func(w *world) { w.page.Origin = "https://evil.example" }, passkey.Refused},
		"another domain":        {nil, func(w *world) { w.page.ID = "evil.example" }, passkey.Refused},
		"another key":           {nil, func(w *world) { w.key.Key = newKey().Key }, passkey.Refused},
		"an unknown credential": {nil, func(w *world) { w.key.ID = []byte("unknown") }, passkey.Refused},
		"another user handle":   {nil, func(w *world) { w.device.Options.UserHandle = []byte("eve") }, passkey.Refused},
		"no user handle":        {nil, func(w *world) { w.device.Options.UserHandle = nil }, passkey.Refused},
		"user not verified":     {nil, func(w *world) { w.device.Options.UserNotVerified = true }, passkey.Refused},
		"user not present":      {nil, func(w *world) { w.device.Options.UserNotPresent = true }, passkey.Refused},
		"not eligible any more": {nil, func(w *world) { w.device.Options.BackupEligible, w.device.Options.BackupState = false, false }, passkey.Refused},
		"the same counter":      {nil, func(w *world) { w.key.Counter-- }, passkey.Refused},
		"a lower counter":       {nil, func(w *world) { w.key.Counter = 0 }, passkey.Refused},
		"a disabled user": {nil, func(w *world) {
			yes := true
			if _, err := w.Users.Update(w.t.Context(), "ada", user.Change{Disabled: &yes}, time.Now()); err != nil {
				w.t.Fatal(err)
			}
		}, passkey.Refused},
		"nothing":                {func(_ *world, in *passkey.VerifyIn) { in.Credential = nil }, nil, passkey.Refused},
		"an answer to another":   {func(w *world, in *passkey.VerifyIn) { in.Credential = w.signed(w.challenge(nil)) }, nil, passkey.Refused},
		"of another user":        {func(_ *world, in *passkey.VerifyIn) { in.UserID = &eve }, nil, passkey.Refused},
		"an unknown attempt":     {func(_ *world, in *passkey.VerifyIn) { in.Attempt = "AAAA" }, nil, passkey.Expired},
		"an attempt to register": {func(w *world, in *passkey.VerifyIn) { in.Attempt = w.offer(ada).Attempt }, nil, passkey.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.key.Counter = 5
			w.register()
			w.key.Counter++
			good := w.key
			if c.before != nil {
				c.before(w)
			}
			o := w.challenge(nil)
			in := passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o)}
			if c.change != nil {
				c.change(w, &in)
			}
			if got, err := w.Verify(t.Context(), in); !errors.Is(err, c.want) {
				t.Errorf("verify = %+v, %v, want %v", got, err, c.want)
			}
			if in.Attempt == o.Attempt {
				w.key = good
				if _, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o)}); !errors.Is(err, passkey.Expired) {
					t.Errorf("verify after that = %v, want %v: nobody tries twice", err, passkey.Expired)
				}
			}
		})
	}
}

func TestAChallengeIsGoodForFiveMinutes(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		want  error
	}{{5*time.Minute - time.Second, nil}, {5 * time.Minute, passkey.Expired}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.register()
			o := w.challenge(nil)
			time.Sleep(c.after)
			if _, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o)}); !errors.Is(err, c.want) {
				t.Errorf("verify after %v = %v, want %v", c.after, err, c.want)
			}
		})
	}
}

func TestADeviceThatDoesNotCountIsGoodAnyNumberOfTimes(t *testing.T) {
	w := newWorld(t)
	w.register()
	for range 3 {
		o := w.challenge(nil)
		if _, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o)}); err != nil {
			t.Errorf("verify = %v, want nil", err)
		}
	}
}

func TestAUserHasABoundedNumberOfPasskeys(t *testing.T) {
	w := newWorld(t)
	var o passkey.Offer
	for range 20 {
		w.key = newKey()
		o = w.offer(ada)
		if _, err := w.Register(t.Context(), passkey.RegisterIn{UserID: ada, Attempt: o.Attempt, Credential: w.made(o), Name: "one more"}); err != nil {
			t.Fatalf("register = %v, want nil", err)
		}
	}
	if _, err := w.Offer(t.Context(), passkey.OfferIn{UserID: ada}); !errors.Is(err, passkey.Full) {
		t.Errorf("offer of one more = %v, want %v", err, passkey.Full)
	}
}

func TestTheLastWayToSignInStays(t *testing.T) {
	w := newWorld(t)
	p := w.register()
	for _, c := range []struct {
		in   passkey.RemoveIn
		ways int
		want error
	}{
		{passkey.RemoveIn{UserID: ada, ID: p.ID}, 1, user.LastWay},
		{passkey.RemoveIn{UserID: eve, ID: p.ID}, 2, passkey.NotFound},
		{passkey.RemoveIn{UserID: user.ProvenID{ID: "ada"}, ID: p.ID}, 2, user.Stale},
		{passkey.RemoveIn{UserID: user.ProvenID{ID: "ada", Time: ada.Time, Lacks: true}, ID: p.ID}, 2, user.SecondFactorRequired},
		{passkey.RemoveIn{UserID: ada, ID: p.ID}, 2, nil},
		{passkey.RemoveIn{UserID: ada, ID: p.ID}, 2, passkey.NotFound},
	} {
		w.ways = c.ways
		if _, err := w.Remove(t.Context(), c.in); !errors.Is(err, c.want) {
			t.Errorf("remove(%+v) with %d ways = %v, want %v", c.in, c.ways, err, c.want)
		}
	}
}

// Whoever floods a passkey is held back, then refused; others are not.
func TestWrongProofsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.register()
		try := func(ip string, right bool) error {
			o := w.challenge(nil)
			if !right {
				o.Attempt = w.challenge(nil).Attempt
			}
			_, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: w.signed(o), IP: ip})
			return err
		}
		if err := try("192.0.2.1", true); err != nil {
			t.Fatalf("verify = %v, want nil", err)
		}
		for n := range 11 {
			want := error(passkey.Refused)
			if n == 10 {
				want = limit.Throttled
			}
			if err := try("198.51.100.1", false); !errors.Is(err, want) {
				t.Errorf("wrong proof %d = %v, want %v", n+1, err, want)
			}
		}
		if err := try("198.51.100.1", true); !errors.Is(err, limit.Throttled) {
			t.Errorf("the right proof behind wrong ones = %v, want %v", err, limit.Throttled)
		}
		if err := try("192.0.2.1", true); err != nil {
			t.Errorf("the right proof where the owner signed in lately = %v, want nil", err)
		}
	})
}

// FuzzVerify: what a browser sends is refused or expired, and never breaks anything.
func FuzzVerify(f *testing.F) {
	f.Add(`{"id":"eA","rawId":"eA","type":"public-key","response":{"authenticatorData":"eA","clientDataJSON":"e30","signature":"eA","userHandle":"eA"}}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, text string) {
		var credential map[string]any
		if json.Unmarshal([]byte(text), &credential) != nil {
			return
		}
		w := newWorld(t)
		o := w.challenge(nil)
		if _, err := w.Verify(t.Context(), passkey.VerifyIn{Attempt: o.Attempt, Credential: credential}); !errors.Is(err, passkey.Refused) {
			t.Errorf("verify(%s) = %v, want %v", text, err, passkey.Refused)
		}
		r := w.offer(ada)
		if _, err := w.Register(t.Context(), passkey.RegisterIn{UserID: ada, Attempt: r.Attempt, Credential: credential}); !errors.Is(err, passkey.Unusable) {
			t.Errorf("register(%s) = %v, want %v", text, err, passkey.Unusable)
		}
	})
}
