package flowtest

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"gopkg.in/yaml.v3"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/code"
	"sluice/nodes/link"
	"sluice/nodes/mail"
	"sluice/nodes/user"
)

// A postbox takes the mails of a test. What would be done in the background is
// done at once, so that it is there when the test looks.
type postbox struct {
	mu   sync.Mutex
	sent []mail.Message // guarded by mu
}

var (
	_ mail.Sender = (*postbox)(nil)
	_ mail.Queue  = (*postbox)(nil)
)

func (p *postbox) Send(_ context.Context, m mail.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return nil
}

// Add does a job. Where one breaks, nothing is sent, and the test tells.
func (p *postbox) Add(job func(context.Context) error) bool {
	_ = job(context.Background())
	return true
}

func (p *postbox) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = nil
}

// shown are the mails as data, in the order in which they were sent.
func (p *postbox) shown() ([]any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	shown := make([]any, len(p.sent))
	for i, m := range p.sent {
		var err error
		if shown[i], err = plain(m); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// post is how the nodes send mail on the stage.
func (st *stage) post(t *mail.Templates) nodes.Post {
	return nodes.Post{Post: mail.Post{
		Sender: st.mailbox, Texts: st.mailbox, Queue: st.mailbox, Templates: t,
		Sites: link.Sites{App: &url.URL{Scheme: "https", Host: "app.test"}, Server: &url.URL{Scheme: "https", Host: "api.test"}},
	}}
}

// A madeCode is a code that was made before the call.
type madeCode struct {
	pos               engine.Pos
	as, purpose, user string // of nobody where user is empty
	to                string // address or phone number
	byAddress         bool
	digits            bool
	uses              int
	age               time.Duration
}

var madeKeys = []string{"as", "purpose", "user", "email", "phone", "by", "digits", "uses", "age"}

func (r *reader) madeCode(n *yaml.Node, users []person) madeCode {
	c := madeCode{pos: r.at(n), uses: 1}
	for _, e := range r.mapping(n, "a code", madeKeys...) {
		switch e.key.Value {
		case "as":
			c.as = r.text(e.value, "as")
		case "purpose":
			c.purpose = r.text(e.value, "purpose")
		case "user":
			c.user = r.text(e.value, "user")
			r.knownUser(e.value, c.user, users)
		case "email", "phone":
			c.to = r.text(e.value, e.key.Value)
		case "by":
			if by := r.text(e.value, "by"); by != "user" && by != "address" {
				r.unknown(e.value, []string{"user", "address"}, "by is user or address, not %q", by)
			} else {
				c.byAddress = by == "address"
			}
		case "digits":
			c.digits = r.flag(e.value, "digits")
		case "uses":
			c.uses = r.number(e.value, "uses", 1, 10)
		case "age":
			text := r.text(e.value, "age")
			age, err := time.ParseDuration(text)
			if err != nil || age < 0 {
				r.problem(e.value, "as in 10m", "%q is no age", text)
			}
			c.age = age
		}
	}
	if c.as == "" || c.purpose == "" {
		r.problem(n, "as in {as: link, purpose: reset-password, user: ada}", "a code needs a name and a purpose")
	}
	return c
}

// makeCode puts a code into the store and returns its secret.
func (st *stage) makeCode(ctx context.Context, c madeCode, userID string) (string, error) {
	var u *user.User
	if c.user != "" {
		found, err := st.users.ByID(ctx, userID)
		if err != nil {
			return "", err
		}
		u = &found
	}
	w := code.Wanted{Purpose: c.purpose, User: u, To: c.to, Uses: c.uses, Lifetime: 10 * time.Minute, At: present().Add(-c.age)}
	if c.digits {
		w.Digits = 6
	}
	if w.To == "" && u != nil {
		w.To = cmp.Or(u.Email, u.Phone)
	}
	if c.byAddress {
		w.User = nil
	}
	m := code.Means{Passwords: st.passwords}
	made, secret := m.New(w)
	if u != nil {
		if err := m.Bind(ctx, &made, *u); err != nil {
			return "", err
		}
	}
	if err := st.codes.Put(ctx, made, made.CreatedDtm); err != nil {
		return "", fmt.Errorf("storing code: %w", err)
	}
	return secret, nil
}
