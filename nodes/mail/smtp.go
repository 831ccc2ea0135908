package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"sluice/engine"
)

// SMTP sends mail by a mail server, each on a connection of its own.
type SMTP struct {
	from    string // as in Name <name@example.com>
	host    string
	options []gomail.Option
}

var _ Sender = (*SMTP)(nil)

// NewSMTP returns a sender that hands mail over to the server that a URL names:
//
//	smtp://user:password@mail.example.com       port 587, with STARTTLS
//	smtps://user:password@mail.example.com      port 465, TLS from the start
//	smtp://localhost:1025?tls=none              without TLS, and so without a password
//	                                            unless it is this machine
//
// Mails come from an address, as in Name <name@example.com>. An error does not
// show the URL, which holds a password.
func NewSMTP(address, from string) (*SMTP, error) { return newSMTP(address, from, nil) }

// newSMTP is NewSMTP with the settings of TLS, nil for the usual ones.
func newSMTP(address, from string, secure *tls.Config) (*SMTP, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return nil, errors.New("the URL of the mail server is not like smtps://user:password@mail.example.com")
	}
	plain, err := withoutTLS(u)
	if err != nil {
		return nil, err
	}
	s := &SMTP{from: from, host: u.Hostname(), options: []gomail.Option{gomail.WithTimeout(sendTimeout)}}
	port := 587
	switch {
	case u.Scheme == "smtps" && !plain:
		port = 465
		s.options = append(s.options, gomail.WithSSL())
	case u.Scheme == "smtp" && plain:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	case u.Scheme == "smtp":
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		return nil, errors.New("the URL of the mail server begins neither with smtp: nor with smtps:, or it is smtps: with tls=none")
	}
	if text := u.Port(); text != "" {
		if port, err = strconv.Atoi(text); err != nil {
			return nil, errors.New("the URL of the mail server has a port that is no number")
		}
	}
	s.options = append(s.options, gomail.WithPort(port))
	if name := u.User.Username(); name != "" {
		password, _ := u.User.Password()
		auth := gomail.SMTPAuthAutoDiscover
		if plain {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		s.options = append(s.options, gomail.WithSMTPAuth(auth), gomail.WithUsername(name), gomail.WithPassword(password))
	}
	if secure != nil {
		s.options = append(s.options, gomail.WithTLSConfig(secure))
	}
	if _, err := s.client(); err != nil {
		return nil, fmt.Errorf("setting the mail server up: %w", err)
	}
	if err := gomail.NewMsg().From(from); err != nil {
		return nil, fmt.Errorf("%q is no address that mail can come from, as in Shop <shop@example.com>", from)
	}
	return s, nil
}

// withoutTLS tells whether a URL asks for no TLS, and refuses it where a
// password would cross a network.
func withoutTLS(u *url.URL) (bool, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return false, errors.New("the URL of the mail server has a query that is none")
	}
	plain := false
	for name, values := range query {
		if name != "tls" || len(values) != 1 || values[0] != "none" {
			return false, fmt.Errorf("the URL of the mail server has %q in its query, where only tls=none is known", name)
		}
		plain = true
	}
	if plain && u.User != nil && !loopback(u.Hostname()) {
		return false, errors.New("the URL of the mail server has tls=none and a password, which everybody on the way could read")
	}
	return plain, nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (s *SMTP) client() (*gomail.Client, error) { return gomail.NewClient(s.host, s.options...) }

// Send hands a mail over. The mail server has taken the responsibility for it
// when Send returns nil.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(s.from), msg.To(m.To)); err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetDate()
	msg.SetMessageID()
	// Auto-Submitted keeps absence notes from coming back, see RFC 3834.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	c, err := s.client()
	if err != nil {
		return fmt.Errorf("setting the mail server up: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := c.DialAndSendWithContext(ctx, msg); err != nil {
		return judged(err)
	}
	return nil
}

// judged tells a refusal from what may pass. A server that cannot be reached, or
// says no to our password, may be right tomorrow; one that says no to a mail for
// good means it.
func judged(err error) error {
	var refused *gomail.SendError
	var network net.Error
	if errors.As(err, &refused) && !refused.IsTemp() && refused.ErrorCode() >= 500 && !errors.As(err, &network) {
		return fmt.Errorf("handing mail over: %w: %w", ErrRefused, err)
	}
	return fmt.Errorf("handing mail over: %w: %w", engine.ErrUnavailable, err)
}
