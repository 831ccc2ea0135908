package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"sluice/nodes/data"
	"sluice/nodes/record"
)

var _ record.Store = records{}

type records struct {
	m  *memory
	ds *documents
	es *events
}

func (rs records) Export(ctx context.Context, now time.Time, yield func(record.Record) error) error {
	if err := rs.m.lock(ctx); err != nil {
		return err
	}
	all := rs.m.records(now)
	rs.m.mu.Unlock()
	documents, err := rs.ds.records()
	if err != nil {
		return err
	}
	all = append(append(all, documents...), rs.es.records()...)
	for _, r := range all {
		if err := cmp.Or(ctx.Err(), yield(r)); err != nil {
			return err
		}
	}
	return nil
}

// records is called with mu held.
func (m *memory) records(now time.Time) (all []record.Record) {
	for _, id := range slices.Sorted(maps.Keys(m.users)) {
		all = append(all, record.UserOf(m.users[id].User, m.users[id].hash))
	}
	for h, s := range m.sessions {
		if s.Live(now) {
			all = append(all, record.SessionOf(h, *s))
		}
	}
	for h, k := range m.keys {
		if k.ExpiresDtm.IsZero() || now.Before(k.ExpiresDtm) {
			all = append(all, record.KeyOf(h, *k))
		}
	}
	for id, f := range m.factors {
		all = append(all, record.FactorOf(id, f.Factor))
	}
	for _, i := range m.identities {
		all = append(all, record.IdentityOf(i))
	}
	for _, p := range m.passkeys {
		all = append(all, record.PasskeyOf(p))
	}
	for _, k := range m.repeats {
		if now.Before(k.Until) {
			all = append(all, record.RepeatOf(k.Claim, k.answer))
		}
	}
	return all
}

func (rs records) Import(ctx context.Context, all iter.Seq2[record.Record, error], replace bool) error {
	if err := rs.m.lock(ctx); err != nil {
		return err
	}
	defer rs.m.mu.Unlock()
	events, _ := rs.es.count()
	if !replace && events+len(rs.m.users)+len(rs.m.sessions)+len(rs.m.keys)+len(rs.m.factors)+len(rs.m.identities)+len(rs.m.passkeys)+len(rs.m.repeats)+rs.ds.count() > 0 {
		return record.ErrNotEmpty
	}
	documents := &documents{kept: map[string]map[string]data.Document{}, declared: map[string]*data.Collection{}}
	next, log := empty(), newEvents()
	for r, err := range all {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		taken, err := documents.put(r)
		if err == nil && !taken {
			taken, err = log.put(r)
		}
		if err == nil && !taken {
			err = next.put(r)
		}
		if err != nil {
			return err
		}
	}
	rs.ds.become(documents)
	rs.es.become(log)
	rs.m.users, rs.m.sessions, rs.m.keys, rs.m.repeats = next.users, next.sessions, next.keys, next.repeats
	rs.m.factors, rs.m.codes = next.factors, next.codes
	rs.m.attempts, rs.m.identities, rs.m.passkeys = next.attempts, next.identities, next.passkeys
	return nil
}

func (m *memory) put(r record.Record) error {
	switch r := r.(type) {
	case *record.User:
		if m.users[r.ID] != nil || m.free(r.EmailKey, r.Phone, nil) != nil {
			return fmt.Errorf("user %s is there already, or another one has the address or the phone number", r.ID)
		}
		m.users[r.ID] = &account{r.User(), r.PasswordHash}
	case *record.Session:
		h, s := r.Session()
		if a := m.users[r.UserID]; m.sessions[h] != nil || a == nil || a.Disabled || a.Epoch != r.Epoch {
			return fmt.Errorf("session %s is there already, or counts for nothing: its user is missing, disabled, or of another epoch", r.ID)
		}
		m.sessions[h] = &s
	case *record.Key:
		h, k := r.Key()
		if m.keys[h] != nil || k.UserID != "" && m.users[k.UserID] == nil {
			return fmt.Errorf("API key %s is there already, or its user is missing", r.ID)
		}
		m.keys[h] = &k
	case *record.Factor:
		if m.factors[r.UserID] != nil || m.users[r.UserID] == nil {
			return fmt.Errorf("the second factor of user %s is there already, or the user is missing", r.UserID)
		}
		m.factors[r.UserID] = &paidFactor{Factor: r.Factor()}
	case *record.Identity:
		i := r.Identity()
		if m.of(i.Issuer, i.Subject) >= 0 || m.users[i.UserID] == nil {
			return fmt.Errorf("identity %s is there already, or its user is missing", i.ID)
		}
		m.keep(i)
	case *record.Passkey:
		p := r.Passkey()
		if m.key(p.Credential) >= 0 || m.users[p.UserID] == nil {
			return fmt.Errorf("passkey %s is there already, or its user is missing", p.ID)
		}
		m.keepKey(p)
	case *record.Repeat:
		c, a := r.Repeat()
		if m.repeats[c.Call] != nil {
			return fmt.Errorf("call %x is there already", c.Call[:8])
		}
		m.repeats[c.Call] = &known{c, a}
	default:
		return fmt.Errorf("a %s has no place in memory", r.Kind())
	}
	return nil
}

func (rs records) Count(ctx context.Context) (map[string]int, error) {
	if err := rs.m.lock(ctx); err != nil {
		return nil, err
	}
	defer rs.m.mu.Unlock()
	events, auditKeys := rs.es.count()
	return map[string]int{
		"user": len(rs.m.users), "session": len(rs.m.sessions), "key": len(rs.m.keys), "factor": len(rs.m.factors),
		"identity": len(rs.m.identities), "passkey": len(rs.m.passkeys), "repeat": len(rs.m.repeats),
		"document": rs.ds.count(), "collection": rs.ds.collections(), "event": events, "auditKey": auditKeys,
	}, nil
}
