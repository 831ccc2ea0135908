package flowtest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/engine"
)

// compare makes the calls of a test with same: and tells how their answers
// differ from that of the first.
func (s *Suite) compare(ctx context.Context, f *file, t *test, o Options, fail func(engine.Pos, string, ...any)) {
	var answers []*answer
	for i, c := range t.same.cases {
		err := s.once(ctx, f, c, func(a *answer, ns names) error {
			answers = append(answers, a)
			return s.check(ctx, c, a, ns, f.name, fail)
		})
		if err != nil {
			fail(c.pos, "case %d cannot run: %v", i+1, err)
			return
		}
	}
	for _, part := range t.same.parts {
		if part == "time" {
			if !o.Short {
				s.compareTimes(ctx, f, t, fail)
			}
			continue
		}
		for i, a := range answers[1:] {
			if got, want := a.part(part), answers[0].part(part); got != want {
				fail(t.same.cases[i+1].pos, "%s of case %d = %s, want %s as in case 1", part, i+2, short(got), short(want))
			}
		}
	}
}

// part is a part of an answer as text.
func (a *answer) part(name string) string {
	switch name {
	case "status":
		return fmt.Sprint(a.status)
	case "body":
		return string(bytes.TrimSpace(a.body))
	}
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(a.headers)) {
		lines = append(lines, name+": "+strings.Join(a.headers[name], ", "))
	}
	return strings.Join(lines, "; ")
}

// rounds is how often more is measured before times count as different: what
// disturbs the machine for a while goes by, what the flow tells does not.
const rounds = 3

// compareTimes compares the times of the cases. They differ where the medians
// do and the shortest do as well, which a busy machine disturbs least.
func (s *Suite) compareTimes(ctx context.Context, f *file, t *test, fail func(engine.Pos, string, ...any)) {
	took := make([][]time.Duration, len(t.same.cases)) // in order
	var differs []Fail
	for range rounds {
		if err := s.measure(ctx, f, t, took); err != nil {
			fail(t.same.pos, "times cannot be compared: %v", err)
			return
		}
		differs = nil
		first, least := median(took[0]), took[0][0]
		for i, d := range took[1:] {
			if m := median(d); apart(m, first, t.same.within) && apart(d[0], least, t.same.within) {
				differs = append(differs, Fail{t.same.cases[i+1].pos, fmt.Sprintf("median time of case %d = %v, want that of case 1, %v, within %d %%",
					i+2, m.Round(time.Microsecond), first.Round(time.Microsecond), t.same.within)})
			}
		}
		if differs == nil {
			return
		}
	}
	for _, d := range differs {
		fail(d.Pos, "%s", d.What)
	}
}

// measure calls the cases in turn, so that what disturbs one disturbs all, and
// adds the times they took.
func (s *Suite) measure(ctx context.Context, f *file, t *test, took [][]time.Duration) error {
	for range t.same.runs {
		for i, c := range t.same.cases {
			err := s.once(ctx, f, c, func(a *answer, _ names) error {
				took[i] = append(took[i], a.took)
				return nil
			})
			if err != nil {
				return fmt.Errorf("case %d: %w", i+1, err)
			}
		}
	}
	for _, d := range took {
		slices.Sort(d)
	}
	return nil
}

// median is that of times in order.
func median(d []time.Duration) time.Duration { return d[len(d)/2] }

// apart tells whether two times differ by more than so many percent.
func apart(a, b time.Duration, percent int) bool {
	return (max(a, b)-min(a, b))*100 > min(a, b)*time.Duration(percent)
}
