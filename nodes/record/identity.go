package record

import (
	"errors"
	"time"

	"sluice/nodes/oidc"
)

// An Identity is what a user is at a provider.
type Identity struct {
	ID       string    `json:"id"`
	UserID   string    `json:"userId"`
	Issuer   string    `json:"issuer"`
	Subject  string    `json:"subject"`
	Provider string    `json:"provider"`
	Email    string    `json:"email,omitempty"`
	Created  time.Time `json:"created"`
}

// IdentityOf returns the record of an identity.
func IdentityOf(i oidc.Identity) *Identity {
	return &Identity{
		ID: i.ID, UserID: i.UserID, Issuer: i.Issuer, Subject: i.Subject, Provider: i.Provider, Email: i.Email, Created: moment(i.CreationDtm),
	}
}

// Identity returns the identity.
func (r *Identity) Identity() oidc.Identity {
	return oidc.Identity{
		ID: r.ID, UserID: r.UserID, Issuer: r.Issuer, Subject: r.Subject, Provider: r.Provider, Email: r.Email, CreationDtm: r.Created,
	}
}

// Kind is "identity".
func (*Identity) Kind() string { return "identity" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Identity) Check() error {
	if r.ID == "" || r.UserID == "" || r.Issuer == "" || r.Subject == "" {
		return errors.New("it has no id, no user, no issuer, or no subject")
	}
	return nil
}
