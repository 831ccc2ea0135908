package password

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/nodes/user"
)

const phrase = "correct horse battery staple"

func quick(t *testing.T, password string) (*Hasher, string) {
	t.Helper()
	h := Quick(Settings{})
	stored, err := h.New(t.Context(), password)
	if err != nil {
		t.Fatalf("New(%q) = %v, want nil", password, err)
	}
	return h, stored
}

func TestNewHasherRefusesWeakSettings(t *testing.T) {
	for name, tt := range map[string]struct {
		s  Settings
		ok bool
	}{
		"defaults":              {Settings{}, true},
		"one pass":              {Settings{Memory: 47104, Time: 1}, true},
		"one pass, too little":  {Settings{Memory: 47103, Time: 1}, false},
		"two passes":            {Settings{Memory: 19456, Time: 2}, true},
		"two, too little":       {Settings{Memory: 19455, Time: 2}, false},
		"three passes":          {Settings{Memory: 12288, Time: 3}, true},
		"three, too little":     {Settings{Memory: 12287, Time: 3}, false},
		"five passes":           {Settings{Memory: 7168, Time: 5}, true},
		"sixteen, too little":   {Settings{Memory: 7167, Time: 16}, false},
		"most":                  {Settings{Memory: 1 << 18, Time: 16, Threads: 16}, true},
		"too much memory":       {Settings{Memory: 1<<18 + 1}, false},
		"too many passes":       {Settings{Time: 17}, false},
		"too many threads":      {Settings{Threads: 17}, false},
		"no hash at once":       {Settings{Parallel: -1}, false},
		"negative queue":        {Settings{Queue: -1}, false},
		"negative wait":         {Settings{Wait: -1}, false},
		"short passwords":       {Settings{MinLength: 5}, false},
		"with a second factor":  {Settings{MinLength: 8}, true},
		"long passwords":        {Settings{MinLength: 64}, true},
		"unreasonable length":   {Settings{MinLength: 65}, false},
		"nothing but one field": {Settings{Wait: time.Second}, true},
	} {
		t.Run(name, func(t *testing.T) {
			if h, err := NewHasher(tt.s); (err == nil) != tt.ok || (h != nil) != tt.ok {
				t.Errorf("NewHasher(%+v) = %v, want ok %t", tt.s, err, tt.ok)
			}
		})
	}
}

func TestHashIsStoredAsArgon2id(t *testing.T) {
	h, err := NewHasher(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`)
	first, err := h.New(t.Context(), phrase)
	if err != nil || !form.MatchString(first) {
		t.Errorf("New(%q) = %q, %v, want it to match %v", phrase, first, err, form)
	}
	if second, err := h.New(t.Context(), phrase); err != nil || second == first {
		t.Errorf("New(%q) once more = %q, %v, want another salt", phrase, second, err)
	}
}

func TestCheckComparesWhatWasGiven(t *testing.T) {
	const password = "Pässword mit Ümlaut \U0001f511"
	h, stored := quick(t, password)
	for name, tt := range map[string]struct {
		in   string
		want bool
	}{
		"same":            {password, true},
		"decomposed":      {"Pa\u0308ssword mit U\u0308mlaut \U0001f511", true},
		"other case":      {strings.ToLower(password), false},
		"leading space":   {" " + password, false},
		"trailing space":  {password + " ", false},
		"NUL behind":      {password + "\x00", false},
		"prefix":          {password[:len(password)-4], false},
		"empty":           {"", false},
		"compatible":      {strings.Replace(password, "P", "\uff30", 1), false},
		"invalid UTF-8":   {password + "\xff", false},
		"far too long":    {strings.Repeat("a", 1<<20), false},
		"its own hash":    {stored, false},
		"same, once more": {password, true},
	} {
		t.Run(name, func(t *testing.T) {
			if ok, fresh, err := h.Check(t.Context(), stored, tt.in); ok != tt.want || fresh != "" || err != nil {
				t.Errorf("Check(%.60q) = %t, %q, %v, want %t", tt.in, ok, fresh, err, tt.want)
			}
		})
	}
}

func TestCheckKeepsLongPasswordsApart(t *testing.T) {
	long := strings.Repeat(phrase+" ", 8)[:200]
	h, stored := quick(t, long)
	for _, in := range []string{long + "x", long[:len(long)-1], long[:72]} {
		if ok, _, err := h.Check(t.Context(), stored, in); ok || err != nil {
			t.Errorf("Check(%d of %d characters) = %t, %v, want false, nil", len(in), len(long), ok, err)
		}
	}
	if ok, _, err := h.Check(t.Context(), stored, long); !ok || err != nil {
		t.Errorf("Check(all characters) = %t, %v, want true, nil", ok, err)
	}
}

func TestCheckRenewsHashesOfOtherSettings(t *testing.T) {
	old, stored := quick(t, phrase)
	h := Quick(Settings{Memory: 128, Time: 2})
	ok, fresh, err := h.Check(t.Context(), stored, phrase)
	if !ok || err != nil || !strings.Contains(fresh, "$m=128,t=2,p=1$") {
		t.Fatalf("Check = %t, %q, %v, want a fresh hash with m=128,t=2,p=1", ok, fresh, err)
	}
	if ok, again, err := h.Check(t.Context(), fresh, phrase); !ok || again != "" || err != nil {
		t.Errorf("Check of the fresh hash = %t, %q, %v, want true and nothing fresher", ok, again, err)
	}
	if ok, fresh, err := h.Check(t.Context(), stored, "wrong"); ok || fresh != "" || err != nil {
		t.Errorf("Check of a wrong password = %t, %q, %v, want false and nothing fresh", ok, fresh, err)
	}
	if ok, back, err := old.Check(t.Context(), fresh, phrase); !ok || back == "" || err != nil {
		t.Errorf("Check by older settings = %t, %q, %v, want true and a fresh hash", ok, back, err)
	}
}

func TestCheckOfNothingFails(t *testing.T) {
	h := Quick(Settings{})
	for _, in := range []string{"", phrase, h.dummy} {
		if ok, fresh, err := h.Check(t.Context(), "", in); ok || fresh != "" || err != nil {
			t.Errorf("Check(no hash, %q) = %t, %q, %v, want false, nothing, nil", in, ok, fresh, err)
		}
	}
}

func TestCheckRefusesCostlyHashes(t *testing.T) {
	h := Quick(Settings{})
	for _, stored := range []string{"plain", "$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"} {
		if ok, _, err := h.Check(t.Context(), stored, phrase); ok || !errors.Is(err, errFormat) {
			t.Errorf("Check(%q) = %t, %v, want %v", stored, ok, err, errFormat)
		}
	}
}

// hold takes all permits of a hasher, and returns what gives one back.
func hold(t *testing.T, h *Hasher) (release func()) {
	t.Helper()
	for range cap(h.permits) {
		r, err := h.acquire(t.Context())
		if err != nil {
			t.Fatalf("acquire = %v, want nil", err)
		}
		release = r
	}
	return release
}

func TestWhoIsTurnedAwayWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Quick(Settings{Parallel: 1, Queue: 1, Wait: time.Minute})
		release := hold(t, h)
		queued := make(chan error)
		go func() { _, err := h.New(t.Context(), phrase); queued <- err }()
		synctest.Wait()

		refuse := func(ctx context.Context) time.Duration {
			began := time.Now()
			if _, err := h.New(ctx, phrase); !errors.Is(err, user.Busy) {
				t.Errorf("New behind a full queue = %v, want %v", err, user.Busy)
			}
			return time.Since(began)
		}
		gone, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if took := refuse(gone); took != time.Second {
			t.Errorf("a caller who left after 1s was turned away after %v", took)
		}
		release()
		if err := <-queued; err != nil {
			t.Errorf("New in the queue = %v, want nil", err)
		}

		release = hold(t, h)
		h.waiting.Add(1) // as if one queued without end
		refused := make(chan time.Duration, mostRefusing)
		for range mostRefusing {
			go func() { refused <- refuse(t.Context()) }()
		}
		synctest.Wait()
		if took := refuse(t.Context()); took != 0 {
			t.Errorf("beyond %d that wait a caller was turned away after %v, want at once", mostRefusing, took)
		}
		for range mostRefusing {
			if took := <-refused; took < 30*time.Second || took > 90*time.Second {
				t.Errorf("a caller was turned away after %v, want 30s to 90s", took)
			}
		}
		release()
	})
}

func TestHashingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Quick(Settings{Parallel: 2, Queue: 3, Wait: 2 * time.Second})
		release := hold(t, h)
		errs := make(chan error, 4)
		for range 3 {
			go func() { _, err := h.New(t.Context(), phrase); errs <- err }()
		}
		synctest.Wait()
		soon, cancel := context.WithTimeout(t.Context(), time.Millisecond) // or they would wait to be turned away
		defer cancel()
		if _, err := h.New(soon, phrase); !errors.Is(err, user.Busy) {
			t.Errorf("New behind a full queue = %v, want %v", err, user.Busy)
		}
		soon, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := h.Check(soon, "", phrase); !errors.Is(err, user.Busy) {
			t.Errorf("Check behind a full queue = %v, want %v", err, user.Busy)
		}
		release()
		for range 3 {
			if err := <-errs; err != nil {
				t.Errorf("New in the queue = %v, want nil", err)
			}
		}
		if running, waiting := len(h.permits), h.waiting.Load(); running != 1 || waiting != 0 {
			t.Errorf("hashes = %d running, %d waiting, want the 1 that is held", running, waiting)
		}
	})
}

func TestWaitToHashIsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Quick(Settings{Parallel: 1, Wait: 2 * time.Second})
		release := hold(t, h)
		start := time.Now()
		if _, err := h.New(t.Context(), phrase); !errors.Is(err, user.Busy) || time.Since(start) != 2*time.Second {
			t.Errorf("New = %v after %v, want %v after 2s", err, time.Since(start), user.Busy)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := h.New(ctx, phrase); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, user.Busy) {
			t.Errorf("New = %v, want %v", err, context.DeadlineExceeded)
		}
		if _, err := h.New(ctx, phrase); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("New for somebody who left = %v, want %v", err, context.DeadlineExceeded)
		}
		release()
		if _, err := h.New(t.Context(), phrase); err != nil {
			t.Errorf("New with a permit = %v, want nil", err)
		}
	})
}

func ExampleHasher() {
	h, err := NewHasher(Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	_, err = h.New(ctx, "Ada@Example.com", "ada@example.com")
	fmt.Println(err)
	stored, err := h.New(ctx, "correct horse battery staple", "ada@example.com")
	fmt.Println(stored[:31], err)
	ok, _, err := h.Check(ctx, stored, "correct horse battery staple")
	fmt.Println(ok, err)
	// Output:
	// weakPassword: The password must not be your name, your address or the name of this service.
	// $argon2id$v=19$m=19456,t=2,p=1$ <nil>
	// true <nil>
}

func BenchmarkCheck(b *testing.B) {
	h, err := NewHasher(Settings{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := h.Check(b.Context(), "", phrase); err != nil {
			b.Fatal(err)
		}
	}
}
