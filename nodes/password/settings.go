package password

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"sluice/nodes/limit"
)

// Settings say how passwords are hashed and judged. The zero value of a field
// stands for its default.
type Settings struct {
	Memory    uint32        // argon2id memory, KiB; default 19456
	Time      uint32        // argon2id passes; default 2
	Threads   uint8         // argon2id lanes; default 1
	Parallel  int           // hashes at once; default one a core, but for one core that is left to all other work
	Queue     int           // calls that wait for a hash; default 64
	Wait      time.Duration // the longest wait for a hash, and about how long it takes to be turned away; default 2s
	MinLength int           // code points of a new password; default 15
	Wrong     limit.Policy  // how many wrong passwords are allowed
}

// Bounds of the parameters of argon2id, so that no stored hash and no setting
// can ask for more memory and time than a server has.
const (
	maxMemory  = 1 << 18 // KiB, 256 MiB
	maxTime    = 16
	maxThreads = 16
)

// leastMemory is the least memory, in KiB, that OWASP recommends for a number
// of passes; behind the last entry more passes need no less.
func leastMemory(passes uint32) uint32 {
	least := [...]uint32{1: 47104, 2: 19456, 3: 12288, 4: 9216, 5: 7168}
	return least[min(int(passes), len(least)-1)]
}

func (s Settings) withDefaults() Settings {
	s.Memory = cmp.Or(s.Memory, 19456)
	s.Time = cmp.Or(s.Time, 2)
	s.Threads = cmp.Or(s.Threads, 1)
	s.Parallel = cmp.Or(s.Parallel, max(1, runtime.GOMAXPROCS(0)-1))
	s.Queue = cmp.Or(s.Queue, 64)
	s.Wait = cmp.Or(s.Wait, 2*time.Second)
	s.MinLength = cmp.Or(s.MinLength, 15)
	return s
}

// Wrong says how many wrong passwords are allowed.
func (h *Hasher) Wrong() limit.Policy { return h.settings.Wrong }

// check returns what is wrong with settings that have their defaults.
func (s Settings) check() error {
	switch {
	case s.Memory < leastMemory(s.Time):
		return fmt.Errorf("%d KiB are too weak for argon2id with %d passes, it takes %d", s.Memory, s.Time, leastMemory(s.Time))
	case s.Memory > maxMemory || s.Time > maxTime || s.Threads > maxThreads:
		return fmt.Errorf("argon2id takes at most %d KiB, %d passes and %d threads here", maxMemory, maxTime, maxThreads)
	case s.Parallel < 1 || s.Queue < 0 || s.Wait < 0:
		return fmt.Errorf("%d hashes at once with %d waiting for %v are not possible", s.Parallel, s.Queue, s.Wait)
	case s.MinLength < leastLength || s.MinLength > mostMinLength:
		return fmt.Errorf("the least length of a password is %d, want %d to %d", s.MinLength, leastLength, mostMinLength)
	}
	return nil
}
