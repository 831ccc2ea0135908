package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"strings"

	"sluice/nodes/record"
)

// A Tally says which records went by, in whatever order: how many of each kind,
// and a digest of all of them.
type Tally struct {
	Counts map[string]int `json:"counts"` // by kind
	// Digest is the bitwise sum of the SHA-256 of every record, in hex digits. It
	// shows what went wrong by chance, not what somebody made up.
	Digest string `json:"digest"`
}

// Records is how many records there were.
func (t Tally) Records() (n int) {
	for _, c := range t.Counts {
		n += c
	}
	return n
}

// Same tells whether two tallies are of the same records.
func (t Tally) Same(o Tally) bool { return t.Digest == o.Digest && maps.Equal(t.Counts, o.Counts) }

// String is like "3 users, 1 session".
func (t Tally) String() string {
	var parts []string
	for _, k := range record.Kinds() {
		if n := t.Counts[k.Name]; n == 1 {
			parts = append(parts, "1 "+k.Name)
		} else if n > 1 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, k.Name))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// A counter makes a tally.
type counter struct {
	counts map[string]int
	sum    [sha256.Size]byte
}

func newCounter() *counter { return &counter{counts: map[string]int{}} }

func (c *counter) add(kind string, line []byte) {
	c.counts[kind]++
	for i, b := range sha256.Sum256(line) {
		c.sum[i] ^= b
	}
}

func (c *counter) tally() Tally {
	return Tally{Counts: maps.Clone(c.counts), Digest: hex.EncodeToString(c.sum[:])}
}

// watched counts the records that go by and tells seen how many there were.
func watched(records iter.Seq2[record.Record, error], c *counter, seen func(n int)) iter.Seq2[record.Record, error] {
	return func(yield func(record.Record, error) bool) {
		n := 0
		for r, err := range records {
			if err == nil {
				var line []byte
				if line, err = record.Encode(r); err == nil {
					c.add(r.Kind(), line)
				}
			}
			n++
			if seen != nil {
				seen(n)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}
