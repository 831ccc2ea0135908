package audit

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Chain seals one event after the other. One goroutine at a time uses it. It is
// a value: whoever may have to take events back keeps a copy.
type Chain struct {
	Keys Keys
	Head Head // of the last event; Seq is 0 before the first
}

// Seal returns an event as the next one of the chain, written at now or at the
// time of the one before if that is later.
func (c *Chain) Seal(e Event, now time.Time) Event {
	if now.Before(c.Head.At) {
		now = c.Head.At
	}
	at := now.UTC().Truncate(time.Millisecond) // what stores keep
	key := c.Keys.first()
	e.At, e.Chain, e.Seq, e.KeyID = at, c.Head.Chain, c.Head.Seq+1, key.id
	e.ID = ID(e.Chain, e.Seq)
	e.Seal = seal(key, c.Head.Seal, &e)
	c.Head = e.Head()
	return e
}

// ID names an event by its chain and number.
func ID(chain string, seq int64) string { return fmt.Sprintf("%s:%d", chain, seq) }

// Head returns the head of a chain that ends with the event.
func (e *Event) Head() Head { return Head{Chain: e.Chain, Seq: e.Seq, Seal: e.Seal, At: e.At} }

// seal is over every field of an event, each with its length in front, so that
// no text can be moved from one field to another.
func seal(k Key, before Seal, e *Event) (s Seal) {
	b := make([]byte, 0, 1024)
	b = append(b, "sluice audit 1"...)
	b = append(b, before[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMilli()))
	for _, text := range []string{
		e.Chain, e.KeyID, string(e.Kind), e.Actor, e.Subject, e.SessionID, e.IP, e.UserAgent, e.RequestID, e.Flow, e.Outcome,
	} {
		b = appendText(b, text)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		b = appendText(appendText(b, name), e.Details[name])
	}
	h := hmac.New(sha256.New, k.sealing[:])
	h.Write(b)
	h.Sum(s[:0])
	return s
}

func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// ParseHead reads a head as it is written by its String.
func ParseHead(text string) (Head, error) {
	var h Head
	parts := strings.Split(text, ":")
	if len(parts) != 3 || parts[0] == "" {
		return h, fmt.Errorf("a head is CHAIN:NUMBER:SEAL, not %q", text)
	}
	h.Chain = parts[0]
	if _, err := fmt.Sscanf(parts[1], "%d", &h.Seq); err != nil || h.Seq < 1 || fmt.Sprint(h.Seq) != parts[1] {
		return h, fmt.Errorf("a head has a number from 1, not %q", parts[1])
	}
	if err := h.Seal.UnmarshalText([]byte(parts[2])); err != nil {
		return h, fmt.Errorf("reading head: %w", err)
	}
	return h, nil
}

// String writes the head as CHAIN:NUMBER:SEAL.
func (h Head) String() string { return fmt.Sprintf("%s:%d:%s", h.Chain, h.Seq, h.Seal) }

// PrunedEvent is what a store writes before it deletes a chain's events up to and
// with the last one.
func PrunedEvent(last Event) Event {
	return Event{Kind: Pruned, Outcome: Done, Details: map[string]string{"through": last.Head().String()}}
}

// BeganEvent is the first event of a chain beside other ones, whose heads it
// names: as many as fit, from the front, and of a chain the first.
func BeganEvent(others []Head) Event { return naming(ChainBegan, others) }

// ImportedEvent is written behind the chains of a log that came from elsewhere,
// and names where they ended then.
func ImportedEvent(ends []Head) Event { return naming(DataImported, ends) }

func naming(k Kind, others []Head) Event {
	e := Event{Kind: k, Outcome: Done, Details: map[string]string{}}
	for _, h := range others {
		if _, ok := e.Details[h.Chain]; !ok && h.Seq > 0 && len(e.Details) < maxDetails {
			e.Details[h.Chain] = h.String()
		}
	}
	return e
}
