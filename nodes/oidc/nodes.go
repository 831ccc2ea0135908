package oidc

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"sluice/engine"
	"sluice/nodes/attempt"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/user"
)

// Ways out of the nodes.
var (
	UnknownProvider = engine.NewOutcome("unknownProvider", engine.NotFound, "There is no such provider.")
	Expired         = engine.NewOutcome("expired", engine.Unauthenticated, "This sign-in is over, or was begun elsewhere. Begin again.")
	Refused         = engine.NewOutcome("refused", engine.Unauthenticated, "The provider does not vouch for you. Begin again.")
	Unlinked        = engine.NewOutcome("unlinked", engine.NotFound, "No account belongs to this identity.")
	Taken           = engine.NewOutcome("taken", engine.Conflict, "The identity belongs to another account.")
	NoEmail         = engine.NewOutcome("noEmail", engine.Invalid, "The provider names no e-mail address of yours.")
	Full            = engine.NewOutcome("full", engine.Conflict, "The account has as many identities as it can have.")
	NotFound        = engine.NewOutcome("notFound", engine.NotFound, "There is no such identity.")
)

// Cookie is the name of the cookie in which a flow keeps what oidc.start gives
// for the browser. By its prefix a browser takes it from this host only.
const Cookie = "__Host-oidc"

const (
	begun     = 10 * time.Minute // how long a sign-in may take
	maxLinked = 20               // identities of a user
)

// Means are what the nodes work with.
type Means struct {
	Providers  *Providers // nil for none
	Identities Store
	Attempts   attempt.Store // that are under way
	Users      user.Store
	Factors    Factors
	Ways       user.Ways
	Wrong      *limit.Throttle
	Audit      *audit.Recorder // nil for none
}

// Factors tell who has to show a second factor.
type Factors interface {
	// Active tells whether a user has a second factor that counts.
	Active(ctx context.Context, userID string) (bool, error)
}

// Nodes returns the nodes of sign-in at providers.
func Nodes(m Means) []*engine.Node {
	d := desk{m.Providers, m.Attempts, m.Wrong, m.Audit}
	l := linker{m.Identities, m.Users, m.Factors, m.Ways, m.Audit}
	return []*engine.Node{
		engine.Define("oidc.start", "Begins a sign-in at a provider of the settings. "+
			"Send the browser to url, and keep browser in the cookie "+Cookie+". It is good for ten minutes and once.",
			d.start, UnknownProvider).Writing("attempts").Calling("identity provider"),
		engine.Define("oidc.finish", "Ends a sign-in at a provider: takes what the provider sent the browser back with, and verifies who it vouches for. "+
			"It does so only in the browser that began, and for the user who did. The identity may belong to nobody yet; oidc.prove tells. "+
			"What proves nothing is counted for the caller's address, together with wrong passwords.",
			d.finish, Expired, Refused, limit.Throttled).Writing("attempts").Calling("identity provider"),
		behindFinish(engine.Define("oidc.prove", "Proves who the user is to whom an identity belongs. It leaves by unlinked where there is none, and by stale where the user is disabled.",
			l.prove, Unlinked, user.Stale).Reading("identities", "users", "factors")),
		behindFinish(engine.Define("oidc.link", "Gives an identity to a user, who can sign in with it from then on.",
			l.link, Taken, user.Stale, user.SecondFactorRequired, Full).Reading("users").Writing("identities")),
		behindFinish(engine.Define("oidc.linkByEmail", "Gives an identity to the user with its e-mail address, and proves who that is. "+
			"It does so only where a provider that is trusted about addresses has verified it, and the user has shown to own it here; otherwise it leaves by unlinked. "+
			"A user with a second factor is proved and gets no identity: oidc.link gives it, once the second factor was shown.",
			l.linkByEmail, Unlinked, Taken, user.Stale, Full).Reading("users", "factors").Writing("identities")),
		behindFinish(engine.Define("oidc.signUp", "Adds a user who has no password and signs in with an identity.",
			l.signUp, user.EmailTaken, NoEmail, Taken).Writing("users", "identities")),
		engine.Define("oidc.list", "Lists the identities of a user.", l.list).Reading("identities"),
		engine.Define("oidc.unlink", "Takes an identity from a user, unless it is the only way to sign in.",
			l.unlink, NotFound, user.LastWay, user.Stale, user.SecondFactorRequired).Reading("users", "passwords", "passkeys").Writing("identities"),
	}
}

// behindFinish gives a node that takes a verified identity an example: it stands
// behind oidc.finish, which is the only one to give such an identity.
func behindFinish(n *engine.Node) *engine.Node {
	_, verb, _ := strings.Cut(n.Name, ".")
	with := "identity: $got.identity"
	if verb == "link" {
		with += ", userId: $session.userId"
	}
	n.Example = "  - id: got\n    node: oidc.finish\n    with: {state: $body.state, code: $body.code, cookies: $headers.cookie}\n" +
		"  - id: " + verb + "\n    node: " + n.Name + "\n    with: {" + with + "}\n"
	if slices.Contains(n.Outcomes, Unlinked) {
		n.Example += "    on: {unlinked: continue}\n"
	}
	return n
}

// A desk sends users to providers and takes them back.
type desk struct {
	providers *Providers
	attempts  attempt.Store
	wrong     *limit.Throttle
	audit     *audit.Recorder
}

// A journey is what is kept of a user who was sent to a provider.
type journey struct {
	Provider string    `json:"provider"`
	Browser  []byte    `json:"browser"`          // SHA-256 of the secret
	UserID   string    `json:"userId,omitempty"` // who goes, where that is known
	Since    time.Time `json:"since"`
}

type startIn struct {
	Provider string         `json:"provider" max:"40" doc:"Name of the provider in the settings."`
	UserID   *user.ProvenID `json:"userId" doc:"User who is to get the identity; absent for a sign-in. oidc.finish takes the same."`
}

type startOut struct {
	URL     string `json:"url" doc:"Address at the provider, where the browser is to go."`
	Browser string `json:"browser" secret:"once" doc:"Secret that stays with the browser, in the cookie __Host-oidc."`
}

const kind = "oidc"

// derived makes what a sign-in needs of secrets from the two that it has.
func derived(what, state, browser string) string {
	sum := sha256.Sum256([]byte(kind + " " + what + "\x00" + state + "\x00" + browser))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (d desk) start(ctx context.Context, in startIn) (startOut, error) {
	c := d.providers.named(in.Provider)
	if c == nil {
		return startOut{}, UnknownProvider
	}
	e, err := c.discover(ctx)
	if err != nil {
		return startOut{}, err
	}
	state, browser := attempt.NewToken(), attempt.NewToken()
	secret := sha256.Sum256([]byte(browser))
	j := journey{Provider: c.Name, Browser: secret[:], Since: time.Now()}
	if in.UserID != nil {
		j.UserID = in.UserID.ID
	}
	kept, err := json.Marshal(j)
	if err != nil {
		return startOut{}, fmt.Errorf("writing attempt: %w", err)
	}
	if err := d.attempts.Begin(ctx, attempt.Attempt{Hash: attempt.HashOf(kind, state), Data: kept, Until: j.Since.Add(begun)}); err != nil {
		return startOut{}, fmt.Errorf("keeping attempt: %w", err)
	}
	url := e.oauth.AuthCodeURL(state, oauth2.S256ChallengeOption(derived("verifier", state, browser)),
		oauth2.SetAuthURLParam("nonce", derived("nonce", state, browser)))
	return startOut{URL: url, Browser: browser}, nil
}

type finishIn struct {
	State   string         `json:"state" max:"200" doc:"Parameter state of the address to which the provider sent the browser."`
	Code    string         `json:"code" max:"4096" doc:"Parameter code of the address."`
	Issuer  string         `json:"issuer,omitzero" max:"1000" doc:"Parameter iss of the address, where it has one."`
	Cookies string         `json:"cookies,omitzero" max:"16384" doc:"Cookie header of the request, for the cookie __Host-oidc."`
	UserID  *user.ProvenID `json:"userId" doc:"User that oidc.start was given."`
	IP      string         `json:"ip" default:"$request.ip" doc:"Address of the caller."`
}

type finishOut struct {
	Identity      Verified `json:"identity" doc:"Who the provider vouches for, as a proof."`
	Provider      string   `json:"provider" doc:"Name of the provider."`
	Subject       string   `json:"subject" doc:"Id of the user at the provider."`
	Email         string   `json:"email" doc:"E-mail address at the provider; empty for none."`
	EmailVerified bool     `json:"emailVerified" doc:"Whether the provider is trusted about addresses and says that the user owns this one."`
	Name          string   `json:"name" doc:"Name at the provider; empty for none."`
}

// secretOf returns the browser's secret from a Cookie header. Two cookies of
// the name are none.
func secretOf(header string) string {
	all, err := http.ParseCookie(header)
	if err != nil {
		return ""
	}
	found := ""
	for _, c := range all {
		if c.Name != Cookie {
			continue
		}
		if found != "" {
			return ""
		}
		found = c.Value
	}
	return found
}

func (d desk) finish(ctx context.Context, in finishIn) (finishOut, error) {
	counted, err := d.wrong.BeginUnclaimed(ctx, in.IP)
	if err != nil {
		return finishOut{}, d.audit.Throttled(ctx, "", err)
	}
	out, err := d.verified(ctx, in)
	switch {
	case errors.Is(err, Expired):
		err = cmp.Or(d.audit.NotProved(ctx, "", Expired.Name, "no such sign-in at a provider"), err)
	case errors.Is(err, Refused):
		err = cmp.Or(d.audit.NotProved(ctx, "", Refused.Name, "provider does not vouch"), err)
	default:
		err = errors.Join(err, counted.Undo(context.WithoutCancel(ctx)))
	}
	if err != nil {
		return finishOut{}, err
	}
	return out, nil
}

func (d desk) verified(ctx context.Context, in finishIn) (finishOut, error) {
	kept, err := d.attempts.Take(ctx, attempt.HashOf(kind, in.State), time.Now())
	switch {
	case errors.Is(err, attempt.ErrNoAttempt):
		return finishOut{}, Expired
	case err != nil:
		return finishOut{}, fmt.Errorf("reading attempt: %w", err)
	}
	var j journey
	if err := json.Unmarshal(kept, &j); err != nil {
		return finishOut{}, fmt.Errorf("reading attempt: %w", err)
	}
	browser, who := secretOf(in.Cookies), ""
	if in.UserID != nil {
		who = in.UserID.ID
	}
	secret := sha256.Sum256([]byte(browser))
	c := d.providers.named(j.Provider)
	if c == nil || who != j.UserID || subtle.ConstantTimeCompare(secret[:], j.Browser) != 1 {
		return finishOut{}, Expired // it is over all the same: nobody tries twice
	}
	e, err := c.discover(ctx)
	if err != nil {
		return finishOut{}, err
	}
	if in.Issuer != c.Provider.Issuer && (in.Issuer != "" || e.namesIss) {
		return finishOut{}, Refused.Because(errors.New("another provider sent the browser back"))
	}
	v, err := d.vouched(ctx, c, e, in, browser, j.Since)
	switch {
	case errors.Is(err, errRefused):
		return finishOut{}, Refused.Because(err)
	case err != nil:
		return finishOut{}, err
	}
	return finishOut{Identity: v, Provider: v.Provider, Subject: v.Subject, Email: v.Email, EmailVerified: v.EmailVerified, Name: v.Name}, nil
}

func (d desk) vouched(ctx context.Context, c *client, e *endpoints, in finishIn, browser string, since time.Time) (Verified, error) {
	token, err := c.redeem(ctx, e, in.Code, derived("verifier", in.State, browser))
	if err != nil {
		return Verified{}, err
	}
	return c.verify(ctx, e, token, derived("nonce", in.State, browser), since)
}
