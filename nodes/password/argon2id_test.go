package password

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
)

func TestKeysAreThoseOfArgon2(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	text := func(most int) []byte {
		b := make([]byte, r.IntN(most+1))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	l := newLanes(time.Hour)
	rounds := 400
	if testing.Short() {
		rounds = 50
	}
	for i := range rounds {
		password, salt := text(200), text(maxBytes)
		passes, threads := 1+r.Uint32N(4), uint8(1+r.IntN(5))
		memory, length := r.Uint32N(600), minKey+r.Uint32N(maxBytes-minKey+1)
		if i%50 == 0 {
			memory = 19456 + r.Uint32N(3)
		}
		want := argon2.IDKey(password, salt, passes, memory, threads, length)
		for range 2 { // the second time in memory that was used before
			in := l.borrow(blocksOf(memory, threads))
			got := idKey(in.blocks, password, salt, passes, memory, threads, length)
			l.giveBack(in)
			if !bytes.Equal(got, want) {
				t.Fatalf("idKey(%x, %x, t=%d, m=%d, p=%d) = %x, want %x", password, salt, passes, memory, threads, got, want)
			}
		}
	}
}

func TestMemoryOfHashesIsWipedAndUsedAgain(t *testing.T) {
	l := newLanes(time.Hour)
	first := l.borrow(64)
	idKey(first.blocks, []byte("a ferry across the river"), make([]byte, saltLen), 2, 64, 1, keyLen)
	if first.blocks[63] == (block{}) {
		t.Fatal("idKey left the memory untouched, want it used")
	}
	l.giveBack(first)
	for i, b := range first.blocks {
		if b != (block{}) {
			t.Fatalf("block %d holds %x after giveBack, want zeros", i, b[:4])
		}
	}
	other, second := l.borrow(128), l.borrow(64)
	if second != first || other == first {
		t.Errorf("borrow gave lanes of %d and %d blocks, want new memory for the other size and the same for the same", len(other.blocks), len(second.blocks))
	}
}

func TestMemoryThatIsIdleGoesBack(t *testing.T) {
	l := newLanes(20 * time.Millisecond)
	gone := make(chan string, 2)
	borrow := func(name string) *lane {
		in := l.borrow(64)
		unmap := in.unmap
		in.unmap = func() { unmap(); gone <- name }
		return in
	}
	busy, idle := borrow("busy"), borrow("idle")
	l.giveBack(idle)
	select {
	case name := <-gone:
		if name != "idle" {
			t.Fatalf("the %s memory went back, want the idle one", name)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("idle memory was kept for 10 s, want it back after 20 ms")
	}
	idKey(busy.blocks, []byte("a ferry across the river"), make([]byte, saltLen), 2, 64, 1, keyLen)
	l.giveBack(busy)
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Fatal("memory that became idle later was kept for 10 s, want it back after 20 ms")
	}
}

func BenchmarkHash(b *testing.B) {
	salt := make([]byte, saltLen)
	b.Run("in memory used again", func(b *testing.B) {
		l := newLanes(time.Hour)
		b.ReportAllocs()
		for b.Loop() {
			in := l.borrow(blocksOf(19456, 1))
			idKey(in.blocks, []byte("a ferry across the river"), salt, 2, 19456, 1, keyLen)
			l.giveBack(in)
		}
	})
	b.Run("in memory of its own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			argon2.IDKey([]byte("a ferry across the river"), salt, 2, 19456, 1, keyLen)
		}
	})
}
