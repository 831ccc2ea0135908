package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

// Columns in the order in which the functions below take them from a row.
const (
	lifeColumns    = "hash, seen, expires, ends, idle"
	sessionColumns = lifeColumns + ", id, user_id, epoch, created, ip, group_keys, agent, authenticated, actor"
	userColumns    = "id, email, email_key, verified, name, disabled, created, updated, epoch, group_keys, phone, phone_verified"
)

// millis is a time as the file has it.
func millis(t time.Time) int64 { return t.UnixMilli() }

func timeOf(v driver.Value) time.Time { return time.UnixMilli(v.(int64)).UTC() }

// lifeOf reads what decides whether a session is live from lifeColumns.
func lifeOf(row []driver.Value) (session.Hash, *session.Session) {
	return session.Hash(row[0].([]byte)), &session.Session{
		LastSeenDtm: timeOf(row[1]), ExpiresDtm: timeOf(row[2]), End: timeOf(row[3]),
		Idle: time.Duration(row[4].(int64)) * time.Millisecond,
	}
}

// sessionOf reads a session from sessionColumns.
func (db *DB) sessionOf(row []driver.Value) (h session.Hash, s *session.Session, err error) {
	h, s = lifeOf(row)
	s.ID, s.UserID = row[5].(string), user.ProvenID{ID: row[6].(string), Epoch: row[7].(int64)}
	s.CreationDtm, s.IP = timeOf(row[8]), row[9].(string)
	if s.AccessGroupKeys, err = groupsOf(row[10].(string)); err != nil {
		return h, nil, err
	}
	s.AuthenticatedDtm = timeOrZero(row[12])
	if text, ok := row[13].(string); ok {
		s.ImpersonatedBy = &session.Impersonation{}
		if err := json.Unmarshal([]byte(text), s.ImpersonatedBy); err != nil {
			return h, nil, fmt.Errorf("decoding actor: %w", err)
		}
	}
	s.UserAgent, err = db.agents.of(row[11].(string))
	return h, s, err
}

// userOf reads a user from userColumns.
func userOf(row []driver.Value) (*user.User, error) {
	groups, err := groupsOf(row[9].(string))
	return &user.User{
		ID: row[0].(string), Email: row[1].(string), EmailKey: row[2].(string),
		EmailVerified: row[3] != int64(0), Name: row[4].(string), Disabled: row[5] != int64(0),
		CreationDtm: timeOf(row[6]), UpdatedDtm: timeOf(row[7]), Epoch: row[8].(int64), Groups: groups,
		Phone: row[10].(string), PhoneVerified: row[11] != int64(0),
	}, err
}

// stored returns a session as it comes back from the file: without the token
// and with times in milliseconds.
func stored(s session.Session) *session.Session {
	s.Token = ""
	for _, t := range []*time.Time{&s.CreationDtm, &s.ExpiresDtm, &s.LastSeenDtm, &s.End} {
		*t = time.UnixMilli(millis(*t)).UTC()
	}
	if !s.AuthenticatedDtm.IsZero() {
		s.AuthenticatedDtm = time.UnixMilli(millis(s.AuthenticatedDtm)).UTC()
	}
	s.Idle = s.Idle.Truncate(time.Millisecond)
	s.AccessGroupKeys = append([]string{}, s.AccessGroupKeys...)
	return &s
}

func groupsOf(text string) ([]string, error) {
	groups := []string{}
	if text == "[]" {
		return groups, nil
	}
	if err := json.Unmarshal([]byte(text), &groups); err != nil {
		return nil, fmt.Errorf("decoding access groups: %w", err)
	}
	return groups, nil
}

func textOf(groups []string) (string, error) {
	if len(groups) == 0 {
		return "[]", nil
	}
	text, err := json.Marshal(groups)
	if err != nil {
		return "", fmt.Errorf("encoding access groups: %w", err)
	}
	return string(text), nil
}

// maxAgents bounds the programs that are known by heart.
const maxAgents = 2000

// agents knows programs by their JSON. Most sessions are of a few programs, so
// that a session in memory can share the texts of the others.
type agents struct {
	mu    sync.RWMutex
	known map[string]session.UserAgent // guarded by mu
}

func (a *agents) of(text string) (session.UserAgent, error) {
	a.mu.RLock()
	agent, ok := a.known[text]
	a.mu.RUnlock()
	if ok {
		return agent, nil
	}
	if err := json.Unmarshal([]byte(text), &agent); err != nil {
		return agent, fmt.Errorf("decoding user agent: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) == maxAgents {
		clear(a.known)
	}
	a.known[text] = agent
	return agent, nil
}
