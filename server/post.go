package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/code"
	"sluice/nodes/factor"
	"sluice/nodes/mail"
)

// A post is how a server sends mail and texts: by a mail server and a webhook, into
// a mailbox for development, or not at all.
type post struct {
	nodes.Post
	outbox  *mail.Outbox
	mailbox *mail.Mailbox // nil where all is sent, and where nobody may read it
	free    []*url.URL    // where links lead that no setting fixes: to the server's own address
	shared  bool          // other servers may use the store, but there is no key to share
}

// maxKept is how many mails a mailbox keeps.
const maxKept = 100

// newPost makes the post that a complete configuration says.
func newPost(c *Config, log *slog.Logger) (*post, error) {
	p := &post{}
	var err error
	if p.Sites.App, err = p.site(c.AppURL); err != nil {
		return nil, fmt.Errorf("reading app-url: %w", err)
	}
	if p.Sites.Server, err = p.site(c.ServerURL); err != nil {
		return nil, fmt.Errorf("reading server-url: %w", err)
	}
	switch {
	case c.MailURL != "" && (c.MailFrom == "" || c.AppURL == ""):
		return nil, errors.New("mail-url wants mail-from, for mails come from somebody, and app-url, for their links lead somewhere")
	case c.MailURL != "":
		smtp, err := mail.NewSMTP(c.MailURL, c.MailFrom)
		if err != nil {
			return nil, err
		}
		p.Sender = smtp
	case c.inDevelopment():
		p.Sender = p.box(log)
	default:
		p.Sender = nowhere("mail-url")
	}
	switch {
	case (c.SMSURL == "") != (c.SMSSecret == ""):
		return nil, errors.New("sms-url and sms-secret want each other: the secret is what the webhook knows this server by")
	case c.SMSURL != "":
		if p.Texts, err = mail.NewWebhook(c.SMSURL, c.SMSSecret); err != nil {
			return nil, fmt.Errorf("reading sms-url: %w", err)
		}
	case c.inDevelopment():
		p.Texts = p.box(log)
	default:
		p.Texts = nowhere("sms-url")
	}
	p.CodeKey, p.FactorKey = code.Key(c.SecretKey), factor.Key(c.SecretKey)
	switch {
	case c.SecretKey != Secret{}:
	case strings.HasPrefix(strings.ToLower(c.Store), "mongodb"):
		p.shared = true // the key of nobody else would fit
	default:
		p.CodeKey = code.NewKey()
	}
	p.outbox = mail.NewOutbox(log)
	p.Queue = p.outbox
	return p, nil
}

// box returns the one mailbox for all that is kept.
func (p *post) box(log *slog.Logger) *mail.Mailbox {
	if p.mailbox == nil {
		p.mailbox = mail.NewMailbox(maxKept, func(k mail.Kept) {
			log.Info(k.What()+" is kept, not sent", "to", k.To, "subject", k.Subject, "read", "/_studio/mail#"+k.ID)
		})
	}
	return p.mailbox
}

// site is where a setting has links lead or, without one, the server itself.
func (p *post) site(text string) (*url.URL, error) {
	if text != "" {
		return url.Parse(text)
	}
	here := &url.URL{Scheme: "http", Host: "localhost"}
	p.free = append(p.free, here)
	return here, nil
}

// inDevelopment tells whether the server may show its owner what is otherwise
// nobody's to see.
func (c *Config) inDevelopment() bool {
	if c.Studio != "auto" {
		return c.Studio == "on"
	}
	host, _, err := net.SplitHostPort(c.Addr)
	ip, bad := netip.ParseAddr(host)
	return err == nil && len(c.TrustedProxies) == 0 && (host == "localhost" || bad == nil && ip.IsLoopback())
}

// nowhere is a sender of a server that has no mail server or webhook: the name of
// the setting that says one.
type nowhere string

func (n nowhere) Send(_ context.Context, m mail.Message) error {
	return fmt.Errorf("sending %s: %w: %s is not set", m.What(), engine.ErrUnavailable, string(n))
}

// with returns the post with templates.
func (p *post) with(t *mail.Templates) nodes.Post {
	with := p.Post
	with.Templates = t
	return with
}

// at makes links lead to an address of the server, where no setting says more.
func (p *post) at(a *net.TCPAddr) {
	for _, site := range p.free {
		site.Host = a.String()
		if a.IP.IsUnspecified() {
			site.Host = fmt.Sprintf("localhost:%d", a.Port)
		}
	}
}

// notes are what the owner should know who serves some flows.
func (p *post) notes(served []*engine.Flow) (notes []string) {
	sends := false
	for _, kind := range []struct {
		what  string
		by    mail.Sender
		means func(engine.Step) bool
	}{{"mail", p.Sender, sendsMail}, {"texts", p.Texts, sendsText}} {
		at := slices.IndexFunc(served, func(f *engine.Flow) bool { return anyStep(f.Steps, kind.means) })
		if at < 0 {
			continue
		}
		sends = true
		if setting, none := kind.by.(nowhere); none {
			notes = append(notes, fmt.Sprintf("%s sends %s, and cannot: %s is not set.", served[at].File, kind.what, string(setting)))
		}
	}
	if p.shared && sends {
		notes = append(notes, "secret-key is not set: whoever copies the store can find out codes of few digits while they last.")
	}
	return notes
}

// sendsMail tells whether a step sends mail.
func sendsMail(s engine.Step) bool {
	return s.Word == "mail.send" || s.Word == "code.send" && !sendsText(s)
}

// sendsText tells whether a step sends a text to a phone.
func sendsText(s engine.Step) bool { return s.Word == "code.send" && slices.Contains(s.Given, "phone") }

// anyStep tells whether a node among some steps, or inside them, is of a kind.
func anyStep(steps []engine.Step, is func(engine.Step) bool) bool {
	return slices.ContainsFunc(steps, func(s engine.Step) bool {
		return s.Verb == "node" && is(s) ||
			slices.ContainsFunc(s.Branches, func(b engine.Branch) bool { return anyStep(b.Steps, is) })
	})
}

// stop sends what waits, until ctx ends.
func (p *post) stop(ctx context.Context) { p.outbox.Close(ctx) }
