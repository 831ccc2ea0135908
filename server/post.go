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

// A post is how a server sends mail: by a mail server, into a mailbox for
// development, or not at all.
type post struct {
	nodes.Post
	outbox  *mail.Outbox
	mailbox *mail.Mailbox // nil where mails are sent, and where nobody may read them
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
		p.mailbox = mail.NewMailbox(maxKept, func(k mail.Kept) {
			log.Info("mail is kept, not sent", "to", k.To, "subject", k.Subject, "read", "/_studio/mail#"+k.ID)
		})
		p.Sender = p.mailbox
	default:
		p.Sender = nowhere{}
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

// nowhere is a sender of a server that has no mail server.
type nowhere struct{}

func (nowhere) Send(context.Context, mail.Message) error {
	return fmt.Errorf("sending mail: %w: mail-url is not set", engine.ErrUnavailable)
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
	sends := slices.IndexFunc(served, func(f *engine.Flow) bool { return sendsMail(f.Steps) })
	if sends < 0 {
		return nil
	}
	if _, none := p.Sender.(nowhere); none {
		notes = append(notes, fmt.Sprintf("%s sends mail, and cannot: mail-url is not set.", served[sends].File))
	}
	if p.shared {
		notes = append(notes, "secret-key is not set: whoever copies the store can find out codes of few digits while they last.")
	}
	return notes
}

// sendsMail tells whether one of some steps, or one inside them, sends mail.
func sendsMail(steps []engine.Step) bool {
	return slices.ContainsFunc(steps, func(s engine.Step) bool {
		return s.Verb == "node" && (s.Word == "mail.send" || s.Word == "code.send") ||
			slices.ContainsFunc(s.Branches, func(b engine.Branch) bool { return sendsMail(b.Steps) })
	})
}

// stop sends what waits, until ctx ends.
func (p *post) stop(ctx context.Context) { p.outbox.Close(ctx) }
