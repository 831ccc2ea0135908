package record

import (
	"errors"
	"fmt"

	"sluice/nodes/factor"
)

// A Factor is the second factor of a user. Its secret is sealed, and of use only
// where the setting secret-key is the same.
type Factor struct {
	UserID   string  `json:"userId"`
	Secret   Bytes   `json:"secret"`
	Active   bool    `json:"active,omitempty"`
	Step     int64   `json:"step,omitempty"` // the last one that was used
	Recovery []Bytes `json:"recovery,omitempty"`
}

// FactorOf returns the record of a user's second factor. Tries that came to
// nothing are not in it.
func FactorOf(userID string, f factor.Factor) *Factor {
	r := &Factor{UserID: userID, Secret: append(Bytes{}, f.Secret...), Active: f.Active, Step: f.Step}
	for _, h := range f.Recovery {
		r.Recovery = append(r.Recovery, Bytes(h[:]))
	}
	return r
}

// Factor returns the second factor.
func (r *Factor) Factor() factor.Factor {
	f := factor.Factor{Secret: append([]byte{}, r.Secret...), Active: r.Active, Step: r.Step}
	for _, h := range r.Recovery {
		f.Recovery = append(f.Recovery, factor.Hash(h))
	}
	return f
}

// Kind is "factor".
func (*Factor) Kind() string { return "factor" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Factor) Check() error {
	if r.UserID == "" || len(r.Secret) == 0 {
		return errors.New("it has no user, or no secret")
	}
	for _, h := range r.Recovery {
		if len(h) != len(factor.Hash{}) {
			return fmt.Errorf("a hash of a recovery code has %d bytes, want %d", len(h), len(factor.Hash{}))
		}
	}
	return nil
}
