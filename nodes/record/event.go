package record

import (
	"errors"
	"fmt"

	"sluice/nodes/audit"
)

// An Event is one of the audit log, with its place in its chain and its seal.
type Event struct{ audit.Event }

// EventOf returns the record of an event.
func EventOf(e audit.Event) *Event {
	e.At = moment(e.At)
	if len(e.Details) == 0 {
		e.Details = nil
	}
	return &Event{e}
}

// Kind is "event".
func (*Event) Kind() string { return "event" }

// Check says why the record cannot be one of any store, or returns nil. Whether
// the event is as it was written, [audit.Verify] tells.
func (r *Event) Check() error {
	if r.Chain == "" || r.Seq < 1 || r.ID != audit.ID(r.Chain, r.Seq) {
		return errors.New("it has no place in a chain, or another id")
	}
	return nil
}

// An AuditKey is the part of a key that verifies what the key has sealed. Keys of the
// settings are not in records: they are wherever the settings are.
type AuditKey struct {
	ID      string `json:"id"`
	Sealing Bytes  `json:"sealing"`
}

// AuditKeyOf returns the record of a key.
func AuditKeyOf(k audit.Key) *AuditKey {
	id, part := k.Parts()
	return &AuditKey{ID: id, Sealing: part[:]}
}

// Key returns the key, which only verifies.
func (r *AuditKey) Key() audit.Key { return audit.PastKey(r.ID, [32]byte(r.Sealing)) }

// Kind is "auditKey".
func (*AuditKey) Kind() string { return "auditKey" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *AuditKey) Check() error {
	if r.ID == "" || len(r.Sealing) != 32 {
		return fmt.Errorf("its id is %q and its key has %d bytes, want some id and 32", r.ID, len(r.Sealing))
	}
	return nil
}
