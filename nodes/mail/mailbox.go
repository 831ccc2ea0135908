package mail

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"
)

// A Kept mail is one in a mailbox.
type Kept struct {
	ID     string    `json:"id"`
	SentAt time.Time `json:"sentAt"`
	Message
}

// A Mailbox is a sender for development: it keeps the last mails in memory and
// sends none.
type Mailbox struct {
	most int
	told func(Kept)

	mu   sync.Mutex
	sent int    // guarded by mu; all that ever came
	kept []Kept // guarded by mu; the oldest first
}

var _ Sender = (*Mailbox)(nil)

// NewMailbox returns a mailbox of at most so many mails. It tells told of each
// one that comes; told may be nil.
func NewMailbox(most int, told func(Kept)) *Mailbox { return &Mailbox{most: most, told: told} }

// Send keeps a mail in place of the oldest, where there are many.
func (b *Mailbox) Send(_ context.Context, m Message) error {
	b.mu.Lock()
	b.sent++
	k := Kept{strconv.Itoa(b.sent), time.Now().UTC().Truncate(time.Millisecond), m}
	b.kept = append(b.kept, k)
	if len(b.kept) > b.most {
		b.kept = slices.Clone(b.kept[len(b.kept)-b.most:])
	}
	b.mu.Unlock()
	if b.told != nil {
		b.told(k)
	}
	return nil
}

// Mails returns the mails that are kept, the newest first.
func (b *Mailbox) Mails() []Kept {
	b.mu.Lock()
	defer b.mu.Unlock()
	mails := slices.Clone(b.kept)
	slices.Reverse(mails)
	return mails
}
