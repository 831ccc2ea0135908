package sqlite

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/nodes/data"
	"sluice/nodes/session"
	"sluice/nodes/user"
)

func openInChild(dir string) {
	db, err := Open(context.Background(), dir, Options{})
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// writeInChild writes until it is killed, and prints each thing before and
// after it is done. Every line is one write to the pipe, so that none is torn.
func writeInChild(dir string) {
	ctx := context.Background()
	db, err := Open(ctx, dir, Options{})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	say := func(verb, what string, err error) {
		if err != nil {
			verb, what = "error", fmt.Sprintf("%s %s: %v", verb, what, err)
		}
		os.Stdout.WriteString(verb + " " + what + "\n")
	}
	s := db.Stores()
	write := func() {
		_, made := newSession(user.ProvenID{})
		u := user.User{ID: made.ID, EmailKey: made.ID}
		say("user", u.ID, s.Users.Create(ctx, u, "hash"))
		for i := 1; ; i++ {
			u, err := s.Users.ByID(ctx, u.ID)
			if err != nil {
				say("find", u.ID, err)
			}
			h, made := newSession(user.ProvenID{ID: u.ID, Epoch: u.Epoch})
			name := u.ID + " " + hex.EncodeToString(h[:])
			say("made", name, s.Sessions.Create(ctx, h, made))
			s.Sessions.Touch(h, time.Now().Add(time.Minute))
			switch {
			case i%50 == 0:
				say("ending-all", u.ID, nil)
				_, err := s.Sessions.End(ctx, session.Which{UserID: u.ID}, time.Now())
				say("ended-all", u.ID, err)
			case i%3 == 0:
				_, err := s.Sessions.Update(ctx, session.Which{Hash: h}, session.Groups{Add: []string{"boss"}}, time.Now())
				say("grouped", name, err)
			case i%2 == 0:
				say("ending", name, nil)
				_, err := s.Sessions.End(ctx, session.Which{Hash: h}, time.Now())
				say("ended", name, err)
			}
		}
	}
	for range 8 {
		go write()
	}
	say("preparing", "", s.Data.Prepare(ctx, []*data.Collection{items()}))
	for range 4 {
		go writeDocuments(ctx, s.Data, say)
	}
	select {}
}

// A fate is what the parent knows of a session by what the child printed.
type fate struct {
	live, dead, grouped bool // neither live nor dead: nobody may know
}

// A journal is what was acknowledged.
type journal struct {
	users    map[string]bool
	sessions map[string]map[string]*fate // by user and by hash in hexadecimal digits
	versions map[string]int64            // of documents by id, of which none is less; 0 for what nobody may know, -1 for what is gone
}

func newJournal() *journal {
	return &journal{map[string]bool{}, map[string]map[string]*fate{}, map[string]int64{}}
}

func (j *journal) note(t *testing.T, line string) {
	verb, rest, _ := strings.Cut(line, " ")
	of, hash, _ := strings.Cut(rest, " ")
	switch verb {
	case "user":
		j.users[of], j.sessions[of] = true, map[string]*fate{}
	case "made":
		j.sessions[of][hash] = &fate{live: true}
	case "grouped":
		j.sessions[of][hash].grouped = true
	case "ending":
		j.sessions[of][hash].live = false
	case "ended":
		j.sessions[of][hash].dead = true
	case "ending-all":
		for _, r := range j.sessions[of] {
			r.live = false
		}
	case "ended-all":
		for _, r := range j.sessions[of] {
			r.dead = true
		}
	case "document", "removing", "removed":
		j.noteDocument(verb, of, hash)
	case "preparing":
	default:
		t.Fatalf("child said %q", line)
	}
}

// check compares a database with what was acknowledged.
func (j *journal) check(t *testing.T, db *DB) (checked int) {
	t.Helper()
	s, now := db.Stores(), time.Now()
	for of := range j.users {
		if _, err := s.Users.ByID(t.Context(), of); err != nil {
			t.Errorf("ByID(%s) = %v, want the acknowledged user", of, err)
		}
		for text, r := range j.sessions[of] {
			raw, _ := hex.DecodeString(text)
			got, err := s.Sessions.Get(t.Context(), session.Hash(raw), now)
			checked++
			switch {
			case r.dead && !errors.Is(err, session.ErrNoSession):
				t.Errorf("Get(%s) = %v, want %v: its end was acknowledged", text, err, session.ErrNoSession)
			case r.live && err != nil:
				t.Errorf("Get(%s) = %v, want the acknowledged session", text, err)
			case r.live && r.grouped && !slices.Contains(got.AccessGroupKeys, "boss"):
				t.Errorf("Get(%s) = groups %q, want the acknowledged boss", text, got.AccessGroupKeys)
			}
		}
	}
	return checked + j.checkDocuments(t, s.Data)
}

func TestKilledProcessLosesNothingAcknowledged(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process 20 times")
	}
	dir, checked := t.TempDir(), 0
	j := newJournal()
	for round := range 20 {
		c := child(t, "write", dir)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatalf("StdoutPipe() = %v, want nil", err)
		}
		if err := c.Start(); err != nil {
			t.Fatalf("Start() = %v, want nil", err)
		}
		lines := bufio.NewScanner(out)
		for wait := time.Duration(0); lines.Scan(); {
			if wait == 0 { // from the first line on, as a slow start has nothing to lose
				wait = time.Duration(1+rand.IntN(150)) * time.Millisecond
				time.AfterFunc(wait, func() { c.Process.Kill() })
			}
			j.note(t, lines.Text())
		}
		c.Wait() // always an error: it was killed

		db, err := Open(t.Context(), dir, Options{})
		if err != nil {
			t.Fatalf("round %d: Open() = %v, want nil", round, err)
		}
		checked += j.check(t, db)
		err = db.read(t.Context(), func(c *conn) error {
			found, err := c.one("PRAGMA integrity_check")
			if err == nil && found != "ok" {
				err = fmt.Errorf("integrity check found %v", found)
			}
			return err
		})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := db.Close(); err != nil {
			t.Fatalf("round %d: Close() = %v, want nil", round, err)
		}
		// What nobody may know is settled now, and what was checked needs no more.
		j = newJournal()
	}
	if checked < 100 {
		t.Errorf("%d sessions and documents were checked, want more for the test to mean something", checked)
	}
}
