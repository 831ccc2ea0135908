// Package health holds what a look at a running system finds: whether each thing
// is as it should be, and what to do where it is not.
package health

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Level says how a thing is.
type Level string

// The levels. Only Fail says that the system does not, or will not, work.
const (
	OK   Level = "ok"
	Warn Level = "warn"
	Fail Level = "fail"
)

// A Finding is about one thing.
type Finding struct {
	Name  string `json:"name"` // as "disk"
	Level Level  `json:"level"`
	Text  string `json:"text"`         // how it is, in a sentence
	Do    string `json:"do,omitempty"` // what to do about it; "" where it is well
}

// Good says that a thing is as it should be.
func Good(name, format string, args ...any) Finding {
	return Finding{Name: name, Level: OK, Text: fmt.Sprintf(format, args...)}
}

// Doubtful says that a thing works, but not as it should.
func Doubtful(name, do, format string, args ...any) Finding {
	return Finding{Name: name, Level: Warn, Text: fmt.Sprintf(format, args...), Do: do}
}

// Bad says that a thing does not work.
func Bad(name, do, format string, args ...any) Finding {
	return Finding{Name: name, Level: Fail, Text: fmt.Sprintf(format, args...), Do: do}
}

// Limits beyond which things count as slow, and clocks as wrong.
const (
	SlowRead   = 20 * time.Millisecond
	SlowWrite  = 100 * time.Millisecond
	ClockWarns = 2 * time.Second
	ClockFails = time.Minute
)

// Speed judges how long a thing took.
func Speed(name, what string, took, slow time.Duration, do string) Finding {
	text := fmt.Sprintf("%s takes %.1f ms", what, float64(took.Microseconds())/1000)
	if took > slow {
		return Doubtful(name, do, "%s, which is slow", text)
	}
	return Good(name, "%s", text)
}

// Clock judges how far another clock is ahead of this machine's.
func Clock(name, whose string, ahead time.Duration) Finding {
	const do = "Set the clocks by NTP: sessions end by the clock of the process that reads them."
	text := fmt.Sprintf("%s is %v apart from this machine's", whose, ahead.Abs().Round(time.Millisecond))
	switch {
	case ahead.Abs() > ClockFails:
		return Bad(name, do, "%s", text)
	case ahead.Abs() > ClockWarns:
		return Doubtful(name, do, "%s", text)
	}
	return Good(name, "%s", text)
}

// Median runs something five times and returns how long it took, as a rule.
func Median(run func() error) (time.Duration, error) {
	var took []time.Duration
	for range 5 {
		began := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[2], nil
}

// Collections judges the collections of documents of a store: how many documents
// each holds, and what is missing of what was declared last.
func Collections(counts map[string]int, missing []string) Finding {
	if len(missing) > 0 {
		return Doubtful("documents", "The next start of a server makes it, or says what is in the way.", "There is no %s", strings.Join(missing, "; nor "))
	}
	if len(counts) == 0 {
		return Good("documents", "There are no collections of documents")
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	if more := len(parts) - mostNamed; more > 0 {
		parts = append(parts[:mostNamed], fmt.Sprintf("and %d more", more))
	}
	return Good("documents", "Tables and indexes of %d collections are as declared; documents: %s", len(counts), strings.Join(parts, ", "))
}

// mostNamed is how many collections are named at most.
const mostNamed = 20
