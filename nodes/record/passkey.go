package record

import (
	"errors"
	"time"

	"sluice/nodes/passkey"
)

// A Passkey is the public half of a passkey. It is of use only where the setting
// passkey-domain is the same.
type Passkey struct {
	ID         string     `json:"id"`
	UserID     string     `json:"userId"`
	Credential Bytes      `json:"credential"`
	Name       string     `json:"name"`
	BackedUp   bool       `json:"backedUp,omitempty"`
	Created    time.Time  `json:"created"`
	Used       *time.Time `json:"used,omitempty"` // absent for never
	Count      int64      `json:"count,omitempty"`
	State      Bytes      `json:"state"`
}

// PasskeyOf returns the record of a passkey.
func PasskeyOf(p passkey.Passkey) *Passkey {
	return &Passkey{
		ID: p.ID, UserID: p.UserID, Credential: append(Bytes{}, p.Credential...), Name: p.Name, BackedUp: p.BackedUp,
		Created: moment(p.CreationDtm), Used: momentOf(p.LastUsedDtm), Count: p.Count, State: append(Bytes{}, p.State...),
	}
}

// Passkey returns the passkey.
func (r *Passkey) Passkey() passkey.Passkey {
	return passkey.Passkey{
		ID: r.ID, UserID: r.UserID, Credential: append([]byte{}, r.Credential...), Name: r.Name, BackedUp: r.BackedUp,
		CreationDtm: r.Created, LastUsedDtm: momentOf(r.Used), Count: r.Count, State: append([]byte{}, r.State...),
	}
}

// momentOf returns a copy.
func momentOf(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	return new(moment(*t))
}

// Kind is "passkey".
func (*Passkey) Kind() string { return "passkey" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Passkey) Check() error {
	if r.ID == "" || r.UserID == "" || len(r.Credential) == 0 || len(r.State) == 0 {
		return errors.New("it has no id, no user, no credential, or no key")
	}
	if r.Count < 0 {
		return errors.New("its count of signatures is below 0")
	}
	return nil
}
