package transfer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/record"
	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/store"
	"sluice/server/store/transfer"
)

// filled returns a store with n users, each with a session.
func filled(t testing.TB, n int) nodes.Stores {
	t.Helper()
	s := memory.New()
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range n {
		u := user.User{ID: fmt.Sprintf("user%06d", i), Email: fmt.Sprint(i), EmailKey: fmt.Sprint(i), CreationDtm: now, UpdatedDtm: now}
		if err := s.Users.Create(t.Context(), u, "hash"); err != nil {
			t.Fatal(err)
		}
		made := session.Session{
			ID: fmt.Sprintf("session%06d", i), UserID: user.ProvenID{ID: u.ID}, CreationDtm: now, LastSeenDtm: now,
			ExpiresDtm: now.Add(time.Hour), End: now.Add(time.Hour), Idle: time.Hour,
		}
		if err := s.Sessions.Create(t.Context(), session.Hash{byte(i), byte(i >> 8)}, made); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func backup(t testing.TB, s nodes.Stores) []byte {
	t.Helper()
	var file bytes.Buffer
	if _, err := transfer.Write(t.Context(), &file, s.Records, transfer.Head{Version: "test", Store: "memory"}); err != nil {
		t.Fatalf("Write = %v, want nil", err)
	}
	return file.Bytes()
}

func tally(t testing.TB, s nodes.Stores) transfer.Tally {
	t.Helper()
	got, err := transfer.Take(t.Context(), s.Records, time.Now())
	if err != nil {
		t.Fatalf("Take = %v, want nil", err)
	}
	return got
}

// into opens a store that is open.
func into(s record.Store) func(transfer.Tally) (record.Store, error) {
	return func(transfer.Tally) (record.Store, error) { return s, nil }
}

// unpack returns the lines of a backup, and pack makes one of them.
func unpack(t testing.TB, file []byte) []string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(string(text), "\n")
}

func pack(lines ...string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, strings.Join(lines, ""))
	w.Close()
	return b.Bytes()
}

func TestBackupIsRestoredWhole(t *testing.T) {
	from := filled(t, 300)
	want := tally(t, from)
	file := backup(t, from)
	embedded, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer embedded.Close()
	for name, to := range map[string]nodes.Stores{"memory": memory.New(), "SQLite": embedded.Stores} {
		seen := 0
		head, got, err := transfer.Restore(t.Context(), bytes.NewReader(file), into(to.Records), transfer.Options{Seen: func(n int) { seen = n }})
		if err != nil || !got.Same(want) || head.Store != "memory" || seen != 600 {
			t.Errorf("Restore into %s = %+v, %v, %v after %d, want %v", name, head, got, err, seen, want)
		}
		if got := tally(t, to); !got.Same(want) {
			t.Errorf("%s holds %v, want %v", name, got, want)
		}
		if _, _, err := transfer.Restore(t.Context(), bytes.NewReader(file), into(to.Records), transfer.Options{}); !errors.Is(err, record.ErrNotEmpty) {
			t.Errorf("Restore into a full %s = %v, want %v", name, err, record.ErrNotEmpty)
		}
		if _, got, err := transfer.Restore(t.Context(), bytes.NewReader(file), into(to.Records), transfer.Options{Replace: true}); err != nil || !got.Same(want) {
			t.Errorf("Restore in place of all in %s = %v, %v, want %v", name, got, err, want)
		}
	}
}

func TestDamagedBackupIsRefusedBeforeAnyWrite(t *testing.T) {
	file := backup(t, filled(t, 20))
	lines := unpack(t, file)
	head, last := lines[0], lines[len(lines)-2]
	flipped := bytes.Clone(file)
	flipped[len(flipped)/2] ^= 1
	inside := append([]string{}, lines...)
	inside[3] = strings.Replace(inside[3], `"name":""`, `"name":"x"`, 1)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":                   {nil, "no backup"},
		"text":                    {[]byte("not a backup at all"), "no backup"},
		"gzip of something else":  {pack("hello\n"), "no backup"},
		"JSON of something else":  {pack("{}\n"), "no backup"},
		"no line feed":            {pack(`{"sluiceBackup":1}`), "cut off"},
		"cut in the middle":       {file[:len(file)/2], "cut off"},
		"cut before the checksum": {file[:len(file)-4], "cut off"},
		"cut at a line":           {pack(lines[:len(lines)-2]...), "cut off"},
		"no records":              {pack(head, last), "damaged"},
		"a line less":             {pack(append(append([]string{}, lines[:5]...), lines[6:]...)...), "damaged"},
		"a line twice":            {pack(append(append([]string{}, lines[:5]...), lines[4:]...)...), "damaged"},
		"a changed value":         {pack(inside...), "damaged"},
		"a flipped bit":           {flipped, ""},
		"more behind the end":     {pack(append(append([]string{}, lines...), "{}\n")...), "damaged"},
		"a later form":            {pack(strings.Replace(head, `"sluiceBackup":1`, `"sluiceBackup":2`, 1)), "later release"},
		"an unknown kind":         {pack(head, `{"spaceship":{}}`+"\n", last), "spaceship"},
		"an unknown field":        {pack(head, strings.Replace(lines[1], `{"id"`, `{"mood":"","id"`, 1), last), "mood"},
		"a long line":             {pack(head, strings.Repeat("x", 65<<20)), "damaged"},
	} {
		if bytes.Equal(c.file, file) {
			t.Fatalf("%s is not damaged", name)
		}
		to := &untouched{t: t, name: name}
		_, _, err := transfer.Restore(t.Context(), bytes.NewReader(c.file), into(to), transfer.Options{Replace: true})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Restore of a file that is %s = %v, want an error with %q", name, err, c.want)
		}
	}
}

// untouched is a store that nobody may write to.
type untouched struct {
	record.Store
	t    *testing.T
	name string
}

func (u *untouched) Import(context.Context, iter.Seq2[record.Record, error], bool) error {
	u.t.Errorf("a file that is %s reached the store", u.name)
	return nil
}

// full takes some bytes and then has no space left.
type full struct{ left int }

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func TestFullDiskFailsABackup(t *testing.T) {
	s := filled(t, 3000)
	for _, space := range []int{0, 10, 1000, 50_000} {
		if _, err := transfer.Write(t.Context(), &full{space}, s.Records, transfer.Head{}); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Write with space for %d bytes = %v, want %v", space, err, syscall.ENOSPC)
		}
	}
}

func TestUnreadableBackupLeavesTheStoreAsItWas(t *testing.T) {
	file := backup(t, filled(t, 50))
	to := filled(t, 3)
	before := tally(t, to)
	again := &secondTime{Reader: bytes.NewReader(file)}
	if _, _, err := transfer.Restore(t.Context(), again, into(to.Records), transfer.Options{Replace: true}); !errors.Is(err, syscall.EIO) {
		t.Errorf("Restore of a file that fails when it is read again = %v, want %v", err, syscall.EIO)
	}
	if got := tally(t, to); !got.Same(before) {
		t.Errorf("the store holds %v, want %v", got, before)
	}
}

// secondTime is a file that cannot be read to its end twice.
type secondTime struct {
	*bytes.Reader
	broken io.Reader
}

func (s *secondTime) Seek(offset int64, whence int) (int64, error) {
	n, err := s.Reader.Seek(offset, whence)
	s.broken = io.MultiReader(io.LimitReader(s.Reader, 500), iotest.ErrReader(syscall.EIO))
	return n, err
}

func (s *secondTime) Read(p []byte) (int, error) {
	if s.broken != nil {
		return s.broken.Read(p)
	}
	return s.Reader.Read(p)
}

func TestCopyProvesWhatArrived(t *testing.T) {
	from, to := filled(t, 100), memory.New()
	want := tally(t, from)
	if got, err := transfer.Copy(t.Context(), from.Records, to.Records, transfer.Options{}); err != nil || !got.Same(want) {
		t.Errorf("Copy = %v, %v, want %v", got, err, want)
	}
	if _, err := transfer.Copy(t.Context(), from.Records, to.Records, transfer.Options{}); !errors.Is(err, record.ErrNotEmpty) {
		t.Errorf("Copy into a full store = %v, want %v", err, record.ErrNotEmpty)
	}
	for name, lossy := range map[string]record.Store{
		"loses a record":   &careless{Store: memory.New().Records, skip: 7},
		"changes a record": &careless{Store: memory.New().Records, change: 7},
	} {
		if _, err := transfer.Copy(t.Context(), from.Records, lossy, transfer.Options{}); !errors.Is(err, transfer.ErrDiffers) {
			t.Errorf("Copy into a store that %s = %v, want %v", name, err, transfer.ErrDiffers)
		}
	}
	busy := &writtenTo{Store: from.Records, write: func() {
		name := "new"
		if _, err := from.Users.Update(t.Context(), "user000003", user.Change{Name: &name}, time.Now()); err != nil {
			t.Error(err)
		}
	}}
	if _, err := transfer.Copy(t.Context(), busy, memory.New().Records, transfer.Options{}); !errors.Is(err, transfer.ErrMoved) {
		t.Errorf("Copy of a store that is written to = %v, want %v", err, transfer.ErrMoved)
	}
}

// careless is a store that loses or changes one record.
type careless struct {
	record.Store
	skip, change int
}

func (c *careless) Import(ctx context.Context, records iter.Seq2[record.Record, error], replace bool) error {
	return c.Store.Import(ctx, func(yield func(record.Record, error) bool) {
		n := 0
		for r, err := range records {
			if u, ok := r.(*record.User); ok && strings.HasPrefix(u.ID, "user00000") {
				if n++; n == c.change {
					u.Name = "changed"
				}
			}
			if s, ok := r.(*record.Session); ok && c.skip > 0 && s.ID == fmt.Sprintf("session%06d", c.skip) {
				continue
			}
			if !yield(r, err) {
				return
			}
		}
	}, replace)
}

// writtenTo is a store that somebody writes to once it has been read.
type writtenTo struct {
	record.Store
	write func()
}

func (w *writtenTo) Export(ctx context.Context, now time.Time, yield func(record.Record) error) error {
	defer w.write()
	return w.Store.Export(ctx, now, yield)
}

func FuzzVerify(f *testing.F) {
	s := filled(f, 3)
	file := backup(f, s)
	f.Add([]byte(strings.Join(unpack(f, file), "")))
	f.Add([]byte(`{"sluiceBackup":1}` + "\n" + `{"repeat":{"call":"00"}}` + "\n" + `{"end":{}}` + "\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, got, err := transfer.Verify(bytes.NewReader(pack(string(text))))
		if err == nil && got.Records() > bytes.Count(text, []byte("\n"))-2 {
			t.Errorf("Verify = %v in %d lines", got, bytes.Count(text, []byte("\n")))
		}
	})
}
