package code

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/limit"
	"sluice/nodes/link"
	"sluice/nodes/mail"
	"sluice/nodes/password"
	"sluice/nodes/user"
)

// Mismatch is the way out of code.redeem. It does not say whether there was
// such a code, nor for whom.
var Mismatch = engine.NewOutcome("mismatch", engine.Unauthenticated, "The code is wrong, too old, or was used before.")

// cooldown is the time between two codes for the same purpose and user that are sent.
const cooldown = time.Minute

// Means are what the code nodes work with.
type Means struct {
	Codes     Store
	Users     user.Store
	Passwords password.Store
	Factors   Factors
	Post      mail.Post
	Limits    limit.Store     // by which texts are counted
	Key       Key             // of the hashes of digits
	Audit     *audit.Recorder // nil for none
}

// Factors tell who has to show a second factor.
type Factors interface {
	// Active tells whether a user has a second factor that counts.
	Active(ctx context.Context, userID string) (bool, error)
}

// Nodes returns the code nodes.
func Nodes(m Means) []*engine.Node {
	return []*engine.Node{
		m.Post.Known(engine.Define("code.send", "Makes a code for a user and sends it by mail, or as a text to a phone, in the background. "+
			"Of an absent user nobody can tell: it takes the same time and gives the same answer. The code before for the same purpose ends. "+
			"Within a minute of it none is sent. The template gets code, link, email, phone and lasts (as in 10 minutes) beside its values. "+
			"Texts cost money, so each number and each caller gets so many in an hour, whether or not there is a user.",
			m.send, user.InvalidEmail, user.InvalidPhone, limit.Throttled, mail.Busy).Reading("passwords").Writing("codes").Calling("mail").
			Only("phone", user.InvalidPhone, limit.Throttled)),
		engine.Define("code.create", "Makes a code for a user who was just proved, to be given to the caller: between two steps of a sign-in.",
			m.create, user.Stale).Reading("users", "passwords").Writing("codes"),
		engine.Define("code.redeem", "Proves who a user is by a code that was made for the user, which it ends. "+
			"A wrong code, an old one and an absent user leave by mismatch and cost the same time.",
			m.redeem, Mismatch).Reading("users", "passwords").Writing("codes"),
	}
}

type sendIn struct {
	Purpose  string         `json:"purpose" min:"1" max:"64" doc:"What the code is for, as in reset-password. It opens nothing else."`
	User     *user.User     `json:"user" doc:"User whom the code proves, absent where nobody was found."`
	Email    string         `json:"email,omitzero" doc:"Address to send it to; that of the user where it is not given."`
	Phone    string         `json:"phone,omitzero" doc:"Phone number to send it to as a text, in place of a mail."`
	By       string         `json:"by" enum:"user|address" default:"user" doc:"What redeems digits beside themselves. user: the user. address: the address or number that they are sent to, where a caller says no more."`
	Verified bool           `json:"verified" default:"false" doc:"Only send it to a user who has shown to own the address or the number; others are treated as absent."`
	Form     string         `json:"form" enum:"link|digits" default:"link" doc:"link: a token of 256 bits, for a page of the application. digits: to be typed, with five tries."`
	Digits   int            `json:"digits" default:"6" min:"6" max:"8" doc:"How many digits."`
	Lifetime time.Duration  `json:"lifetime" default:"10m" min:"1m" max:"24h" doc:"How long the code can be used. More than ten minutes is for what signs nobody in, such as to verify an address."`
	Template string         `json:"template" doc:"Name of the template, a file of the folder mail without its ending."`
	Page     string         `json:"page,omitzero" max:"200" doc:"Path of the page that the link leads to, below the setting app-url; the code follows as ?code=."`
	Endpoint string         `json:"endpoint,omitzero" max:"200" doc:"Path of an endpoint that the link leads to in place of a page, below the setting server-url."`
	Values   map[string]any `json:"values,omitzero" doc:"Further values that the template wants."`

	PerNumber int    `json:"perNumber" default:"5" min:"1" max:"100" doc:"Most texts to one number in an hour."`
	PerCaller int    `json:"perCaller" default:"20" min:"1" max:"10000" doc:"Most texts that are asked for from one address in an hour, or from one IPv6 /64."`
	IP        string `json:"ip" default:"$request.ip" doc:"Address of the caller."`
}

func (m Means) send(ctx context.Context, in sendIn) (engine.None, error) {
	way, err := m.way(ctx, &in)
	if err != nil {
		return engine.None{}, err
	}
	u := in.User
	if u != nil && (u.Disabled || in.Verified && !way.verified) {
		u = nil
	}
	w := Wanted{Purpose: in.Purpose, User: in.User, To: way.asked, Lifetime: in.Lifetime, At: now()}
	if in.By == "address" {
		w.User = nil
	}
	if in.Form == "digits" {
		w.Digits = in.Digits
	}
	c, secret := m.New(w)
	values := map[string]any{}
	for name, v := range in.Values {
		values[name] = v
	}
	values["code"], values["email"], values["phone"], values["lasts"] = secret, way.email, way.phone, lasting(in.Lifetime)
	values["link"] = in.link(m.Post.Sites, secret)
	letter, err := m.Post.Templates.Render(in.Template, way.to, values)
	if err != nil {
		return engine.None{}, fmt.Errorf("making mail: %w", err)
	}
	// All that differs between users happens in the background.
	if !m.Post.Queue.Add(m.sending(audit.RequestOf(ctx), in.Purpose, c, u, way.by, letter)) {
		return engine.None{}, mail.Busy
	}
	return engine.None{}, nil
}

// link is where a mail leads.
func (in *sendIn) link(to link.Sites, secret string) string {
	query := url.Values{"code": {secret}}
	if in.Endpoint != "" {
		return to.Endpoint(in.Endpoint, query)
	}
	return to.Page(in.Page, query)
}

// lasting is a time in words, rounded down.
func lasting(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return "a minute"
}

// sending is the job that keeps a code and hands its mail over. Digits of nobody
// are kept as well: trying them must look the same.
func (m Means) sending(from *audit.Request, purpose string, c Code, u *user.User, by mail.Sender, letter mail.Message) func(context.Context) error {
	kept := false
	return func(ctx context.Context) error {
		if !kept && (u != nil || c.Digits) {
			if u != nil {
				if err := m.Bind(ctx, &c, *u); err != nil {
					return err
				}
			}
			switch err := m.keep(audit.WithRequest(ctx, from), purpose, c); {
			case errors.Is(err, ErrTooSoon):
				return nil
			case err != nil:
				return fmt.Errorf("storing code: %w", err)
			}
			kept = true
		}
		if u == nil {
			return nil
		}
		return by.Send(ctx, letter)
	}
}

// keep stores a code that is about to be sent, and tells so unless it is nobody's.
func (m Means) keep(ctx context.Context, purpose string, c Code) error {
	put := func(ctx context.Context) error { return m.Codes.Put(ctx, c, c.CreatedDtm.Add(-cooldown)) }
	if c.UserID == "" {
		return put(ctx)
	}
	return m.Audit.Do(ctx, audit.Event{Kind: audit.CodeSent, Subject: c.UserID, Details: map[string]string{"purpose": purpose}}, put)
}

type createIn struct {
	Purpose  string        `json:"purpose" min:"1" max:"64" doc:"What the code is for, as in second-factor. It opens nothing else."`
	UserID   user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Uses     int           `json:"uses" default:"1" min:"1" max:"10" doc:"How often the code can be redeemed."`
	Lifetime time.Duration `json:"lifetime" default:"5m" min:"1m" max:"10m" doc:"How long the code can be used."`
}

type createOut struct {
	Code       string    `json:"code" secret:"once" doc:"The code."`
	ExpiresDtm time.Time `json:"expiresDtm" doc:"When it ends."`
}

func (m Means) create(ctx context.Context, in createIn) (createOut, error) {
	// A code is redeemed for a proof that the user gave, so it is made of no other.
	if err := user.Personal(in.UserID); err != nil {
		return createOut{}, err
	}
	u, err := user.Proven(ctx, m.Users, in.UserID)
	if err != nil {
		return createOut{}, err
	}
	c, secret := m.New(Wanted{Purpose: in.Purpose, User: &u, Uses: in.Uses, Lifetime: in.Lifetime, At: now()})
	if err := m.Bind(ctx, &c, u); err != nil {
		return createOut{}, err
	}
	if err := m.Codes.Put(ctx, c, c.CreatedDtm); err != nil {
		return createOut{}, fmt.Errorf("storing code: %w", err)
	}
	return createOut{Code: secret, ExpiresDtm: c.ExpiresDtm}, nil
}

type redeemIn struct {
	Purpose string     `json:"purpose" min:"1" max:"64" doc:"What the code must be for."`
	Code    string     `json:"code" secret:"true" doc:"Code that the caller has."`
	User    *user.User `json:"user" doc:"User who claims to have it, absent where nobody was found. Digits need it; a token knows its user."`
	Email   string     `json:"email,omitzero" doc:"Address that was asked for, where digits may be of an absent user."`
	Phone   string     `json:"phone,omitzero" doc:"Phone number that was asked for, in place of an address."`
}

type redeemOut struct {
	UserID       user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Email        string        `json:"email" doc:"Address that the code was sent to, which is the user's as it seems; nothing where it was not sent by mail."`
	Phone        string        `json:"phone" doc:"Phone number that the code was sent to, which is the user's as it seems; nothing where it was not sent as a text."`
	SecondFactor bool          `json:"secondFactor" doc:"Whether the user has to show a second factor before a session can be opened."`
}

func (m Means) redeem(ctx context.Context, in redeemIn) (redeemOut, error) {
	c, err := m.take(ctx, in)
	switch {
	case errors.Is(err, ErrNoCode), err == nil && c.UserID == "":
		return redeemOut{}, m.refused(ctx, in, "", "wrong, too old, or used before")
	case err != nil:
		return redeemOut{}, fmt.Errorf("redeeming code: %w", err)
	}
	u, err := m.Users.ByID(ctx, c.UserID)
	switch {
	case errors.Is(err, user.ErrNoUser):
		return redeemOut{}, m.refused(ctx, in, c.UserID, "user is gone")
	case err != nil:
		return redeemOut{}, fmt.Errorf("reading user: %w", err)
	case u.Disabled:
		return redeemOut{}, m.refused(ctx, in, u.ID, "user is disabled")
	}
	state, err := m.state(ctx, u)
	switch {
	case err != nil:
		return redeemOut{}, err
	case state != c.State:
		return redeemOut{}, m.refused(ctx, in, u.ID, "user signs in otherwise by now")
	}
	lacks, err := m.Factors.Active(ctx, u.ID)
	if err != nil {
		return redeemOut{}, fmt.Errorf("reading second factor: %w", err)
	}
	proof := user.ProvenID{ID: u.ID, Epoch: u.Epoch, Time: now(), Lacks: lacks}
	out := redeemOut{UserID: proof, SecondFactor: lacks}
	if strings.Contains(c.To, "@") {
		out.Email = c.To
	} else {
		out.Phone = c.To
	}
	return out, nil
}

// take uses the code that a caller has.
func (m Means) take(ctx context.Context, in redeemIn) (Code, error) {
	if strings.HasPrefix(in.Code, tokenPrefix) {
		slot, h, ok := readToken(in.Code, in.Purpose)
		if !ok {
			return Code{}, ErrNoCode
		}
		c, err := m.use(ctx, in.Purpose, slot, h)
		if err == nil && in.User != nil && in.User.ID != c.UserID {
			return Code{}, ErrNoCode
		}
		return c, err
	}
	asked := cmp.Or(in.Email, in.Phone)
	if in.User == nil && asked == "" || len(in.Code) > longest {
		return Code{}, ErrNoCode
	}
	slot := SlotOf(in.Purpose, subject(in.User, asked))
	return m.use(ctx, in.Purpose, slot, m.Key.digitsHash(slot, in.Code))
}

// now is the time to the millisecond, which is what stores keep.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
