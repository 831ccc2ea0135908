package rest

import (
	"crypto/rand"
	"sync/atomic"
)

// ids names requests. A name is eight characters that differ from process to
// process and eight that count: enough to find a request in the log, and no
// secret.
type ids struct {
	process [8]byte
	count   atomic.Uint64
}

const base32 = "0123456789abcdefghjkmnpqrstvwxyz"

func newIDs() *ids {
	g := &ids{}
	rand.Read(g.process[:]) // never fails: it ends the process instead
	for i, c := range g.process {
		g.process[i] = base32[c&31]
	}
	return g
}

func (g *ids) next() (id [16]byte) {
	copy(id[:], g.process[:])
	n := g.count.Add(1)
	for i := len(id) - 1; i >= len(g.process); i-- {
		id[i] = base32[n&31]
		n >>= 5
	}
	return id
}
