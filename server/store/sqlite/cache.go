package sqlite

import (
	"hash/maphash"
	"sync"
)

// maxShards of a cache, so that cores seldom wait for each other.
const maxShards = 64

// A cache keeps a bounded number of rows in memory, coherent with the database:
// the writer hands it every committed change before anybody hears of the
// commit, and what a reader brings from the database is refused if the shard
// was written after the reader had looked. What goes when a shard is full is
// left to chance, so that a hit changes nothing.
type cache[K comparable, V any] struct {
	seed   maphash.Seed
	limit  int // values in a shard
	shards []shard[K, V]
}

type shard[K comparable, V any] struct {
	mu     sync.RWMutex
	values map[K]V // guarded by mu
	writes uint64  // how often a key of the shard was written; guarded by mu
}

// newCache makes a cache of about size values, which is at least one.
func newCache[K comparable, V any](size int) *cache[K, V] {
	n := min(size, maxShards)
	c := &cache[K, V]{seed: maphash.MakeSeed(), limit: (size + n - 1) / n, shards: make([]shard[K, V], n)}
	for i := range c.shards {
		c.shards[i].values = map[K]V{}
	}
	return c
}

func (c *cache[K, V]) shard(k K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, k)%uint64(len(c.shards))]
}

// get returns the value of a key. Where there is none, seen is what fill wants.
func (c *cache[K, V]) get(k K) (v V, seen uint64, ok bool) {
	s := c.shard(k)
	s.mu.RLock()
	defer s.mu.RUnlock()
	v, ok = s.values[k]
	return v, s.writes, ok
}

// fill keeps what was read from the database after a get that returned seen,
// unless something was written since, which the value may be older than.
func (c *cache[K, V]) fill(k K, v V, seen uint64) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == seen {
		s.put(k, v, c.limit)
	}
}

// set keeps a value that was just committed.
func (c *cache[K, V]) set(k K, v V) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.put(k, v, c.limit)
}

// drop forgets a value of which another version, or its end, was just committed.
func (c *cache[K, V]) drop(k K) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	delete(s.values, k)
}

// change replaces a value if it is there.
func (c *cache[K, V]) change(k K, f func(V) V) {
	s := c.shard(k)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	if v, ok := s.values[k]; ok {
		s.values[k] = f(v)
	}
}

// clear forgets everything.
func (c *cache[K, V]) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.writes++
		clear(s.values)
		s.mu.Unlock()
	}
}

// put is called with mu held.
func (s *shard[K, V]) put(k K, v V, limit int) {
	if _, ok := s.values[k]; !ok && len(s.values) >= limit {
		for other := range s.values {
			delete(s.values, other)
			break
		}
	}
	s.values[k] = v
}
