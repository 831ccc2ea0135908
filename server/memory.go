package server

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the collector is paced.
const (
	paceEvery  = 250 * time.Millisecond
	leastSpare = 16 << 20 // bytes that the heap may grow by in any case
)

// What is known of this process's memory, by the names of package metrics.
const (
	liveBytes     = "/gc/heap/live:bytes"
	totalBytes    = "/memory/classes/total:bytes"
	objectBytes   = "/memory/classes/heap/objects:bytes"
	unusedBytes   = "/memory/classes/heap/unused:bytes"
	freeBytes     = "/memory/classes/heap/free:bytes"
	releasedBytes = "/memory/classes/heap/released:bytes"
)

// paceCollector keeps what a flood of calls leaves behind from piling up, until
// ctx ends. By itself the collector lets the heap grow to twice what lives, with
// the stacks of all connections counted in, and what it frees goes back to the
// system late. So the memory limit follows what lives: a heap that is large
// because much lives in it may double as ever, but free memory that lies about is
// used, or given back, before more is taken. Where GOMEMLIMIT is set, that holds.
func paceCollector(ctx context.Context) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	defer debug.SetMemoryLimit(math.MaxInt64)
	tick := time.NewTicker(paceEvery)
	defer tick.Stop()
	for {
		debug.SetMemoryLimit(memoryLimit(readMemory()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// memoryLimit is how much memory the process may have, in bytes, where so much
// lives in the heap and so much is stacks and bookkeeping.
func memoryLimit(live, other uint64) int64 {
	spare := uint64(leastSpare)
	if live > 3*leastSpare {
		spare = live - 2*leastSpare
	}
	return int64(live + other + spare)
}

// readMemory returns what lived in the heap when it was collected last, and what
// the process has beside the heap, in bytes.
func readMemory() (live, other uint64) {
	samples := []metrics.Sample{
		{Name: liveBytes}, {Name: totalBytes}, {Name: objectBytes}, {Name: unusedBytes}, {Name: freeBytes}, {Name: releasedBytes},
	}
	metrics.Read(samples)
	other = samples[1].Value.Uint64()
	for _, s := range samples[2:] {
		other -= min(other, s.Value.Uint64())
	}
	return samples[0].Value.Uint64(), other
}
