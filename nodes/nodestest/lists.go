package nodestest

import (
	"slices"
	"testing"
	"time"

	"sluice/nodes"
	"sluice/nodes/session"
)

// addSessions creates n sessions of a user and returns their ids, newest first.
func addSessions(t *testing.T, s nodes.Stores, userID string, n int, now time.Time) []string {
	t.Helper()
	made := make([]string, n)
	for i := range n {
		made[n-1-i] = addSession(t, s, userID, now).ID
	}
	return made
}

func wantList(t *testing.T, s nodes.Stores, userID, after string, limit int, now time.Time, want []string) {
	t.Helper()
	if got := ids(list(t, s, userID, after, limit, now)); !slices.Equal(got, want) {
		t.Errorf("Sessions.List(%s, %q, %d) = %v, want %v", userID, after, limit, got, want)
	}
}

func listIsOrdered(t *testing.T, s nodes.Stores) {
	now, u, other := present(), addUser(t, s), addUser(t, s)
	theirs := addSessions(t, s, other.ID, 2, now)
	mine := addSessions(t, s, u.ID, 7, now)
	theirs = append(addSessions(t, s, other.ID, 2, now), theirs...)
	wantList(t, s, u.ID, "", 100, now, mine)
	wantList(t, s, other.ID, "", 100, now, theirs)
	wantList(t, s, u.ID, "", 3, now, mine[:3])
	wantList(t, s, u.ID, "", 7, now, mine)
	wantList(t, s, u.ID, mine[2], 3, now, mine[3:6])
	wantList(t, s, u.ID, mine[5], 3, now, mine[6:])
	wantList(t, s, u.ID, mine[6], 3, now, []string{})

	// What was created, not what was used last, decides.
	later := now.Add(30 * time.Minute)
	s.Sessions.Touch(hashOf(mine[6]), later)
	time.Sleep(50 * time.Millisecond)
	wantList(t, s, u.ID, "", 100, later, mine)
}

func walkIsStable(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	mine := addSessions(t, s, u.ID, 200, now)
	ended := map[string]bool{}
	met := map[string]int{}
	after := ""
	for step := 0; ; step++ {
		page := list(t, s, u.ID, after, 9, now)
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			met[p.ID]++
		}
		after = page[len(page)-1].ID
		addSession(t, s, u.ID, now)
		for _, id := range []string{after, mine[(step*37)%len(mine)]} {
			if _, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, ID: id}, now); err != nil {
				t.Fatalf("Sessions.End(%s) = %v, want nil", id, err)
			}
			ended[id] = true
		}
	}
	for _, id := range mine {
		if n := met[id]; n > 1 || n == 0 && !ended[id] {
			t.Errorf("the walk met %s %d times (ended meanwhile: %t), want once", id, n, ended[id])
		}
	}
}

func positionLasts(t *testing.T, s nodes.Stores) {
	now, u := present(), addUser(t, s)
	mine := addSessions(t, s, u.ID, 5, now)
	for _, id := range mine[1:3] {
		n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID, ID: id}, now)
		wantCount(t, "Sessions.End(id)", n, err, 1)
	}
	wantList(t, s, u.ID, mine[1], 2, now, mine[3:])
	wantList(t, s, u.ID, mine[2], 2, now, mine[3:])
	wantList(t, s, u.ID, mine[0], 2, now, mine[3:])

	// Any text is a position: ids are ordered by their bytes, greatest first.
	wantList(t, s, u.ID, mine[3]+"~", 1, now, mine[3:4])
	wantList(t, s, u.ID, "0", 2, now, []string{})
	wantList(t, s, u.ID, "~", 1, now, mine[:1])
	wantList(t, s, u.ID, "' or 1=1 --", 2, now, []string{})

	n, err := s.Sessions.End(t.Context(), session.Which{UserID: u.ID}, now)
	wantCount(t, "Sessions.End(all)", n, err, 3)
	wantList(t, s, u.ID, mine[3], 2, now, []string{})
}
