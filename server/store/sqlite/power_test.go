package sqlite

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/nodes/session"
	"sluice/nodes/user"
)

// sector is what a disk writes whole, or loses, or leaves torn.
const sector = 512

// An image is what the files of a database hold at a moment.
type image struct{ data, log []byte }

func readImage(t *testing.T, dir string) (i image) {
	t.Helper()
	var err error
	if i.data, err = os.ReadFile(filepath.Join(dir, dataFile)); err != nil {
		t.Fatal(err)
	}
	if i.log, err = os.ReadFile(filepath.Join(dir, dataFile+"-wal")); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return i
}

// torn is a file after the power went while it was written: what was synced
// before stands, and of each sector what was written since is old, new or neither.
// The file may have grown or not. That the rest of such a sector stays is what
// SQLite counts on (https://sqlite.org/psow.html).
func torn(r *rand.Rand, synced, later []byte) []byte {
	n := len(synced)
	if len(later) > n {
		n += r.IntN(len(later) - n + 1)
	}
	file := make([]byte, n)
	copy(file, synced)
	for at := 0; at < n; at += sector {
		end := min(at+sector, n)
		old, now := file[at:end], later[min(at, len(later)):min(end, len(later))]
		if bytes.Equal(old, now) {
			continue
		}
		switch r.IntN(3) {
		case 1:
			copy(old, now)
		case 2:
			for i := range old {
				if i >= len(now) || old[i] != now[i] {
					old[i] = byte(r.Uint32())
				}
			}
		}
	}
	return file
}

// TestPowerLossLosesNothingAcknowledged simulates a loss of power between two
// acknowledged writes: the files are as they were at the first, when all of it
// was synced, with any part of what was written since. One step moves the log
// to the database and starts it over; SQLite syncs the database between the two.
func TestPowerLossLosesNothingAcknowledged(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 15
	}
	r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	dir := t.TempDir()
	db := openTest(t, dir, Options{})
	mover, err := connect(filepath.Join(dir, dataFile))
	if err != nil {
		t.Fatal(err)
	}
	defer mover.Close()
	users := []user.ProvenID{addUser(t, db)}
	live, ended := map[session.Hash]bool{}, map[session.Hash]bool{}
	images := 0
	for round := range rounds {
		before := readImage(t, dir)
		alive, dead := make(map[session.Hash]bool), make(map[session.Hash]bool)
		for h := range live {
			alive[h] = true
		}
		for h := range ended {
			dead[h] = true
		}
		var moved image
		if round%4 == 3 {
			if _, err := mover.exec("PRAGMA wal_checkpoint(RESTART)"); err != nil {
				t.Fatal(err)
			}
			moved = readImage(t, dir)
		}
		// The write that nobody was told of when the power went.
		touched := session.Hash{}
		switch {
		case round%3 == 2 && len(live) > 0:
			for touched = range live {
				break
			}
			if n, err := (Sessions{db}).End(t.Context(), session.Which{Hash: touched}, time.Now()); n != 1 || err != nil {
				t.Fatalf("End() = %d, %v, want 1, nil", n, err)
			}
			delete(live, touched)
			ended[touched] = true
		case round%7 == 6:
			users = append(users, addUser(t, db))
		default:
			touched, _ = addSession(t, db, users[r.IntN(len(users))])
			live[touched] = true
		}
		after := readImage(t, dir)
		for range 4 {
			crashed := []image{{before.data, torn(r, before.log, after.log)}}
			if moved.data != nil {
				crashed = []image{{torn(r, before.data, moved.data), before.log}, {moved.data, torn(r, before.log, after.log)}}
			}
			for _, i := range crashed {
				checkImage(t, i, alive, dead, touched)
				images++
			}
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	t.Logf("%d images of %d acknowledged writes", images, rounds)
}

// checkImage opens a database from an image and looks for what was acknowledged;
// a session that the last write was about may be either.
func checkImage(t *testing.T, i image, alive, dead map[session.Hash]bool, either session.Hash) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{dataFile: i.data, dataFile + "-wal": i.log, suspectFile: nil} { // suspect: look at the whole file
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := Open(t.Context(), dir, Options{})
	if err != nil {
		t.Errorf("Open() after a loss of power = %v, want nil", err)
		return
	}
	defer db.Close()
	for h := range alive {
		if _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); err != nil && h != either {
			t.Errorf("an acknowledged session is lost: %v", err)
		}
	}
	for h := range dead {
		if _, err := (Sessions{db}).Get(t.Context(), h, time.Now()); !errors.Is(err, session.ErrNoSession) && h != either {
			t.Errorf("an acknowledged end is lost: %v", err)
		}
	}
}
