package limit_test

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"sluice/nodes/limit"
)

func TestKeysTellTextsApart(t *testing.T) {
	seen := map[limit.Key][]string{}
	for _, parts := range [][]string{nil, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {"a\x00b"}} {
		k := limit.KeyOf(parts...)
		if other, ok := seen[k]; ok {
			t.Errorf("KeyOf(%q) is KeyOf(%q), want them different", parts, other)
		}
		seen[k] = parts
	}
}

func TestNetworkIsWhatOneSubscriberHas(t *testing.T) {
	for _, c := range []struct {
		ip   string
		bits int
		want string
	}{
		{"192.0.2.77", 32, "192.0.2.77/32"},
		{"192.0.2.77", 24, "192.0.2.0/24"},
		{"::ffff:192.0.2.77", 24, "192.0.2.0/24"},
		{"2001:db8:1:2:3:4:5:6", 32, "2001:db8:1:2::/64"},
		{"2001:db8:1:2:ffff::1%eth0", 24, "2001:db8:1:2::/64"},
		{"", 24, ""},
		{"somewhere", 24, "somewhere"},
	} {
		if got := limit.Network(c.ip, c.bits); got != c.want {
			t.Errorf("Network(%q, %d) = %q, want %q", c.ip, c.bits, got, c.want)
		}
	}
}

func TestRateIsNeverExceeded(t *testing.T) {
	for _, r := range []limit.Rate{{1, time.Second}, {7, time.Minute}, {1000, time.Second}, {3, 3 * time.Nanosecond}} {
		var until int64
		passed := 0
		each := max(r.Each, r.Step()*time.Duration(r.Count))
		for now := int64(1e18); now < 1e18+int64(10*each); now += max(int64(r.Step())/20, 1) {
			next, taken := r.Next(until, now)
			if taken.Wait == 0 {
				passed++
			}
			if taken.Used < 1 || taken.Used > r.Count || taken.Wait > r.Step() {
				t.Fatalf("Next(%v) = %+v, want 1 to %d used and a wait of a step at most", r, taken, r.Count)
			}
			until = next
		}
		if most := 11 * r.Count; passed > most || passed < 9*r.Count {
			t.Errorf("in ten times of %v %d passed, want %d to %d", r, passed, 9*r.Count, most)
		}
	}
}

// However many others come, memory is bounded and a victim stays limited.
func TestFloodOfKeysForgetsNoVictim(t *testing.T) {
	keys := 1_000_000
	if testing.Short() {
		keys = 100_000
	}
	table, now := limit.NewTable(20_000), time.Now()
	r, victim := limit.Rate{Count: 10, Each: time.Hour}, limit.KeyOf("victim")
	for range 10 {
		if _, err := table.Take(t.Context(), victim, r, now); err != nil {
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var k limit.Key
	for i := range keys {
		binary.LittleEndian.PutUint64(k[:], uint64(i))
		if _, err := table.Take(t.Context(), k, r, now); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if got, _ := table.Take(t.Context(), victim, r, now); got.Wait == 0 {
				t.Fatalf("the victim's limit is forgotten after %d others", i)
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapAlloc) - int64(before.HeapAlloc)
	if n := table.Len(); n > 20_000 || grown > 8<<20 {
		t.Errorf("%d keys left %d counters in %d KiB, want at most 20000 in 8 MiB", keys, n, grown>>10)
	}
}

// A far store that can fail and counts how often it is asked.
type far struct {
	*limit.Table
	mu    sync.Mutex
	fails error
	asked int
}

func (f *far) Take(ctx context.Context, k limit.Key, r limit.Rate, now time.Time) (limit.Taken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.asked++; f.fails != nil {
		return limit.Taken{}, f.fails
	}
	return f.Table.Take(ctx, k, r, now)
}

func TestRefusalsAreNotAskedForAgain(t *testing.T) {
	f := &far{Table: limit.NewTable(100)}
	near := limit.NewNear(f, 100)
	k, r, now := limit.KeyOf("a"), limit.Rate{Count: 2, Each: time.Hour}, time.Now()
	for range 1000 {
		if _, err := near.Take(t.Context(), k, r, now); err != nil {
			t.Fatal(err)
		}
	}
	if f.asked != 3 {
		t.Errorf("1000 calls with a limit of 2 asked %d times, want 3", f.asked)
	}
	if got, err := near.Take(t.Context(), k, r, now.Add(500*time.Millisecond)); err != nil || got.Wait != 30*time.Minute-500*time.Millisecond {
		t.Errorf("Take() half a second later = %+v, %v, want the rest of half an hour to wait", got, err)
	}
	if err := near.Set(t.Context(), k, time.Time{}, now); err != nil {
		t.Fatal(err)
	}
	if got, err := near.Take(t.Context(), k, r, now); err != nil || got.Used != 1 || got.Wait != 0 {
		t.Errorf("Take() after the counter was cleared = %+v, %v, want it counted as the first", got, err)
	}
}

func TestLimitsHoldWhileTheStoreIsAway(t *testing.T) {
	f := &far{Table: limit.NewTable(100), fails: errors.New("away")}
	near := limit.NewNear(f, 100)
	k, r, now := limit.KeyOf("a"), limit.Rate{Count: 10, Each: time.Hour}, time.Now()
	passed := 0
	for range 200 {
		got, err := near.Take(t.Context(), k, r, now)
		if err != nil {
			t.Fatalf("Take() while the store is away = %v, want nil", err)
		}
		if got.Wait == 0 {
			passed++
		}
	}
	if passed != 10 || f.asked != 1 {
		t.Errorf("of 200 calls %d passed and the store was asked %d times, want 10 and 1", passed, f.asked)
	}
	f.fails = nil
	if got, err := near.Take(t.Context(), k, r, now.Add(2*time.Second)); err != nil || got.Used != 1 {
		t.Errorf("Take() when the store is back = %+v, %v, want its count", got, err)
	}
}
