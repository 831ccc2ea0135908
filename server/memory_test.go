package server

import (
	"context"
	"math"
	"runtime/debug"
	"testing"
	"time"
)

func TestMemoryMayGrowByWhatLives(t *testing.T) {
	const MiB = 1 << 20
	for _, c := range []struct{ live, other, want uint64 }{
		{1 * MiB, 5 * MiB, 22 * MiB},
		{20 * MiB, 40 * MiB, 76 * MiB},
		{48 * MiB, 0, 64 * MiB},
		{64 * MiB, 10 * MiB, 106 * MiB},
		{1024 * MiB, 64 * MiB, 2080 * MiB},
	} {
		if got := memoryLimit(c.live, c.other); got != int64(c.want) {
			t.Errorf("memoryLimit(%d MiB, %d MiB) = %d MiB, want %d", c.live/MiB, c.other/MiB, got/MiB, c.want/MiB)
		}
	}
}

func TestCollectorIsPacedUnlessTheOwnerDoesSo(t *testing.T) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		t.Skip("GOMEMLIMIT is set")
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		paceCollector(ctx)
	}()
	for end := time.Now().Add(10 * time.Second); debug.SetMemoryLimit(-1) == math.MaxInt64; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no memory limit after 10 s, want one")
		}
	}
	stop()
	<-done
	if got := debug.SetMemoryLimit(-1); got != math.MaxInt64 {
		t.Errorf("memory limit after the end = %d, want none", got)
	}
	const owners = 1 << 40
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(owners))
	ctx, stop = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	paceCollector(ctx)
	if got := debug.SetMemoryLimit(-1); got != owners {
		t.Errorf("memory limit that the owner set = %d, want %d", got, owners)
	}
}
