// Package limit counts what callers may do only so often, by the generic cell
// rate algorithm (ITU-T I.371): whoever is counted may spend the whole allowance
// at once and gets it back evenly. Endpoints count their calls by it, and
// [Throttle] counts the wrong answers of those who claim to be somebody.
package limit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// A Key names what is counted. It is a hash, so that a store sees neither
// addresses nor names.
type Key [16]byte

// KeyOf returns the key of what some texts name together.
func KeyOf(parts ...string) (k Key) {
	h := sha256.New()
	var size [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(size[:], uint64(len(p)))
		h.Write(size[:])
		h.Write([]byte(p))
	}
	copy(k[:], h.Sum(nil))
	return k
}

// A Rate is an allowance: so many in a time.
type Rate struct {
	Count int           // at least 1
	Each  time.Duration // at least a microsecond for each of Count
}

// Step is the time after which one of the allowance comes back.
func (r Rate) Step() time.Duration { return max(r.Each/time.Duration(r.Count), time.Microsecond) }

// A Taken says what became of a call that was counted.
type Taken struct {
	Used int           // of the allowance, with this call; all of it where the call is one too many
	Wait time.Duration // after which one more is allowed; 0 where this one was
}

// Next counts one more at now where the allowance is whole again at until, and
// returns when that will be then. What is one too many changes nothing. It is the
// one place that knows the algorithm; times are nanoseconds since 1970.
func (r Rate) Next(until, now int64) (next int64, t Taken) {
	step, each := int64(r.Step()), int64(r.Step())*int64(r.Count)
	next = max(until, now) + step
	if wait := next - now - each; wait > 0 {
		return until, Taken{Used: r.Count, Wait: time.Duration(wait)}
	}
	return next, Taken{Used: int((next - now + step - 1) / step)}
}

// A Store keeps counters, each of them as the time at which its allowance is
// whole again. It is safe for many goroutines: of many who take at once exactly
// as many pass as are allowed. A counter whose time has come is as one that never
// was. Stores may forget counts in a crash, those of the last second or so, and
// they count by themselves rather than fail while a database is away; an error
// says that ctx has ended.
type Store interface {
	// Take counts one, or tells how long to wait and counts nothing.
	Take(ctx context.Context, k Key, r Rate, now time.Time) (Taken, error)
	// Give takes one back that was counted.
	Give(ctx context.Context, k Key, r Rate, now time.Time) error
	// Until returns when the allowance is whole again; a time that is not after
	// now says that it is.
	Until(ctx context.Context, k Key, now time.Time) (time.Time, error)
	// Set sets when the allowance is whole again. A time that is over clears the
	// counter.
	Set(ctx context.Context, k Key, until, now time.Time) error
}

// Network is the network that an address is counted by: of an IPv4 address its
// first bits, and of an IPv6 address the /64 that one subscriber has. A text that
// is no address stands for itself.
func Network(ip string, bits int) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(a, bits).Masked().String()
}
