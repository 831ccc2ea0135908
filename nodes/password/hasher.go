package password

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"sluice/nodes/user"
)

var _ user.Hasher = (*Hasher)(nil)

// mostRefusing is how many calls wait at once to be refused; the others are
// refused at once, as each holds a connection.
const mostRefusing = 4096

// A Hasher makes and checks hashes of passwords, and judges new passwords. It
// is safe for many goroutines: as many as its settings say hash at once, some
// wait, and the others are turned away with [user.Busy].
type Hasher struct {
	settings Settings
	permits  chan struct{}
	waiting  atomic.Int64
	refusing atomic.Int64
	lanes    *lanes
	dummy    string          // digest that no password has, of the settings' parameters
	common   map[string]bool // words and phrases of common passwords; never changes
	leaked   []string        // whole passwords, folded and in order; never changes
}

// NewHasher makes a hasher. It refuses settings that are weaker than what OWASP
// recommends for argon2id, or that no server could bear.
func NewHasher(s Settings) (*Hasher, error) {
	s = s.withDefaults()
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("reading password settings: %w", err)
	}
	return newHasher(s), nil
}

func newHasher(s Settings) *Hasher {
	h := &Hasher{settings: s, permits: make(chan struct{}, s.Parallel), lanes: newLanes(idleMemory), common: readCommon(), leaked: readLeaked()}
	h.dummy = digest{s.Memory, s.Time, s.Threads, make([]byte, saltLen), make([]byte, keyLen)}.String()
	return h
}

// Judge returns [user.WeakPassword], with a sentence for the user, for a new
// password that is too easy to guess, also for somebody who knows the words.
func (h *Hasher) Judge(password string, words ...string) error {
	if sentence := h.weakness(password, words); sentence != "" {
		return user.WeakPassword.Saying(sentence)
	}
	return nil
}

// New returns the hash of a new password, in PHC form. It returns
// [user.WeakPassword] with a sentence for the user where the password is too
// easy to guess, also for somebody who knows the words, and [user.Busy] where
// too many wait for a hash.
func (h *Hasher) New(ctx context.Context, password string, words ...string) (string, error) {
	if err := h.Judge(password, words...); err != nil {
		return "", err
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return h.hash(norm.NFC.String(password)), nil
}

// Check tells whether a stored hash is that of a password. Where it is, but was
// made with other parameters than new hashes are, fresh is the hash to store
// instead. With an empty stored hash the answer is no, at the price of a
// check that fails.
func (h *Hasher) Check(ctx context.Context, stored, password string) (ok bool, fresh string, err error) {
	if tooLong(password) || !utf8.ValidString(password) {
		return false, "", nil // whoever asks, and for whomever
	}
	password = norm.NFC.String(password)
	known := stored != ""
	if !known {
		stored = h.dummy
	}
	d, err := parseDigest(stored)
	if err != nil {
		return false, "", fmt.Errorf("reading stored hash: %w", err)
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, "", err
	}
	defer release()
	key := h.key(password, d)
	if ok = subtle.ConstantTimeCompare(key, d.key) == 1 && known; !ok {
		return false, "", nil
	}
	if s := h.settings; d.memory != s.Memory || d.time != s.Time || d.threads != s.Threads || len(d.salt) < saltLen || len(d.key) != keyLen {
		fresh = h.hash(password)
	}
	return true, fresh, nil
}

// hash makes a hash. The caller holds a permit.
func (h *Hasher) hash(password string) string {
	s := h.settings
	d := digest{s.Memory, s.Time, s.Threads, make([]byte, saltLen), make([]byte, keyLen)}
	cryptorand.Read(d.salt) // never fails: without randomness the process ends
	d.key = h.key(password, d)
	return d.String()
}

// key hashes a password as a digest says, to a key of the length of its key. The
// caller holds a permit.
func (h *Hasher) key(password string, d digest) []byte {
	l := h.lanes.borrow(blocksOf(d.memory, d.threads))
	defer h.lanes.giveBack(l)
	return idKey(l.blocks, []byte(password), d.salt, d.time, d.memory, d.threads, uint32(len(d.key)))
}

// full tells whether a call would be turned away now. Whoever asks first spares
// the store a read, which in a flood is most of what a refusal costs.
func (h *Hasher) full() bool {
	return h.waiting.Load() >= int64(h.settings.Queue) && len(h.permits) == cap(h.permits)
}

// acquire waits for a permit to hash. A hash cannot be stopped half-way, so the
// permit comes back when it is done, even if nobody wants it any more.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("waiting to hash: %w", err)
	}
	release = func() { <-h.permits }
	select {
	case h.permits <- struct{}{}:
		return release, nil
	default:
	}
	if h.waiting.Add(1) > int64(h.settings.Queue) {
		h.waiting.Add(-1)
		return nil, h.turnAway(ctx)
	}
	defer h.waiting.Add(-1)
	late := time.NewTimer(h.settings.Wait)
	defer late.Stop()
	select {
	case h.permits <- struct{}{}:
		return release, nil
	case <-late.C:
		return nil, user.Busy
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash: %w", ctx.Err())
	}
}

// turnAway refuses a call that there is no room for, in a while. Clients that come
// again as soon as they are refused would otherwise take all the time of the
// server for being refused, and those who are signed in would wait behind them.
func (h *Hasher) turnAway(ctx context.Context) error {
	defer h.refusing.Add(-1)
	if h.refusing.Add(1) > mostRefusing {
		return user.Busy
	}
	pause := time.NewTimer(h.settings.Wait/2 + rand.N(h.settings.Wait+1))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	return user.Busy
}
