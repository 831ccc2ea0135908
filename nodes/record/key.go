package record

import (
	"errors"
	"fmt"
	"time"

	"sluice/nodes/apikey"
)

// A Key is an API key under its hash.
type Key struct {
	Hash      Bytes      `json:"hash"`
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scope     string     `json:"scope"`
	Endpoints []string   `json:"endpoints,omitempty"`
	Roles     []string   `json:"roles,omitempty"`
	UserID    string     `json:"userId,omitempty"` // to whom it belongs; absent for nobody
	Suspended bool       `json:"suspended,omitempty"`
	Created   time.Time  `json:"created"`
	Expires   *time.Time `json:"expires,omitempty"` // absent for never
	Used      *time.Time `json:"used,omitempty"`    // absent for never
}

// KeyOf returns the record of an API key.
func KeyOf(h apikey.Hash, k apikey.Key) *Key {
	return &Key{
		Hash: Bytes(h[:]), ID: k.ID, Name: k.Name, Scope: k.Scope, Endpoints: append([]string(nil), k.Endpoints...), Roles: append([]string(nil), k.Roles...), UserID: k.UserID,
		Suspended: k.Suspended, Created: moment(k.CreationDtm), Expires: momentOrNil(k.ExpiresDtm), Used: momentOrNil(k.LastUsedDtm),
	}
}

// Key returns the API key and its hash.
func (r *Key) Key() (apikey.Hash, apikey.Key) {
	return apikey.Hash(r.Hash), apikey.Key{
		ID: r.ID, Name: r.Name, Scope: r.Scope, Endpoints: append([]string(nil), r.Endpoints...), Roles: append([]string(nil), r.Roles...), UserID: r.UserID,
		Suspended: r.Suspended, CreationDtm: r.Created, ExpiresDtm: timeOrZero(r.Expires), LastUsedDtm: timeOrZero(r.Used),
	}
}

// Kind is "key".
func (*Key) Kind() string { return "key" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Key) Check() error {
	switch {
	case len(r.Hash) != len(apikey.Hash{}):
		return fmt.Errorf("its hash has %d bytes, want %d", len(r.Hash), len(apikey.Hash{}))
	case r.ID == "" || r.Scope == "":
		return errors.New("it has no id, or no scope")
	}
	return nil
}

func momentOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = moment(t)
	return &t
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
