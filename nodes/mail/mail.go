// Package mail sends mail: over SMTP, or into a mailbox in memory where there is
// no mail server to send it by. It sends texts to phones as well, by a webhook of
// whoever delivers them. What mails and texts say stands in templates beside the
// flows, in files of the folder mail.
//
// A template is a text, reset-password.txt, whose first line is the subject. A
// file reset-password.html beside it is the same mail as HTML. In both {$name} is
// a value, escaped for the place where it stands, and nothing else is special:
//
//	Subject: Choose a new password
//
//	Open this page within {$lasts}:
//	{$link}
package mail

import (
	"context"
	"errors"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"sluice/nodes/link"
	"sluice/nodes/user"
)

// A Message is a mail or a text to one person.
type Message struct {
	To      string `json:"to"`      // address, or phone number of a text
	Subject string `json:"subject"` // one line
	Text    string `json:"text"`
	HTML    string `json:"html,omitzero"` // "" for none
}

// ToPhone tells a text to a phone from a mail: every address has an @ in it.
func (m Message) ToPhone() bool { return !strings.Contains(m.To, "@") }

// What is what the message is, in a word.
func (m Message) What() string {
	if m.ToPhone() {
		return "text"
	}
	return "mail"
}

// ErrRefused says that the mail server or the webhook does not take the message,
// and never will.
var ErrRefused = errors.New("what delivers it refuses the message")

// A Sender hands mails over. It is safe for many goroutines.
type Sender interface {
	// Send returns when the mail was taken over. It returns ErrRefused, or an
	// error that wraps [engine.ErrUnavailable] where it may work later.
	Send(ctx context.Context, m Message) error
}

// A Queue does what callers need not wait for.
type Queue interface {
	// Add has a job done soon. It returns false where too many wait. A job that
	// returns an error that wraps [engine.ErrUnavailable] is done again.
	Add(job func(ctx context.Context) error) bool
}

// A Post is all that nodes need to send mail.
type Post struct {
	Sender    Sender
	Texts     Sender // of messages to phone numbers, of which it sends the text
	Queue     Queue
	Templates *Templates
	Sites     link.Sites // to which mails lead
}

// Deliver sends a mail soon, and returns false where too many wait.
func (p Post) Deliver(m Message) bool {
	return p.Queue.Add(func(ctx context.Context) error { return p.Sender.Send(ctx, m) })
}

// Address returns an address in the form in which mail is sent to it, with the
// domain in ASCII. It returns [user.ErrNoAddress] for what cannot be one.
func Address(address string) (string, error) {
	display, _, err := user.EmailKey(address)
	if err != nil {
		return "", err
	}
	local, domain, _ := strings.Cut(display, "@")
	if domain, err = idna.Lookup.ToASCII(domain); err != nil {
		return "", user.ErrNoAddress
	}
	return local + "@" + domain, nil
}

// sendTimeout is how long handing over one mail may take.
const sendTimeout = 20 * time.Second
