package audit

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
)

// A Report is what [Verify] found.
type Report struct {
	Chains  []Head `json:"chains"`  // as they end; what a message can keep, to be given to a later Verify
	Events  int    `json:"events"`  // that were looked at
	Unkeyed int    `json:"unkeyed"` // of them, sealed without a key: whoever can write to the store can forge them
	Flaws   []Flaw `json:"flaws"`   // none where all is well
	Anchors int    `json:"anchors"` // heads that were known apart from the chains; without any, an end that was cut is not seen
	Gone    []Head `json:"gone"`    // up to where chains were pruned
}

// A Flaw is a place at which the log is not as it was written.
type Flaw struct {
	Chain string `json:"chain"`
	Seq   int64  `json:"seq"` // of the event that is wrong, or the first one that is missing
	What  string `json:"what"`
}

func (f Flaw) String() string { return fmt.Sprintf("%s: %s", ID(f.Chain, f.Seq), f.What) }

const verifyPage = 1000 // events read at once

// Verify walks through all chains of a store and compares every event with its
// seal, and the ends of the chains with the heads that are known: those that the
// store keeps, those in events, and those given. An error is a store that cannot
// be read.
func Verify(ctx context.Context, s Store, known ...Head) (*Report, error) {
	heads, err := s.Heads(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading heads: %w", err)
	}
	v := &verifier{store: s, keys: s.Keys(), report: &Report{}, chains: map[string]bool{}, gone: map[string][]Head{}}
	for _, h := range slices.Concat(heads, known) {
		v.anchor(h)
	}
	if err := v.marks(ctx); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(v.chains)) {
		if err := v.walk(ctx, name); err != nil {
			return nil, err
		}
	}
	return v.report, nil
}

// A verifier is a Verify that runs.
type verifier struct {
	store   Store
	keys    Keys
	report  *Report
	chains  map[string]bool
	anchors []Head            // what a chain must hold
	gone    map[string][]Head // up to where chains were pruned
	keyed   string            // chain that has had an event under a key; another one later starts over
}

func (v *verifier) anchor(h Head) {
	v.chains[h.Chain] = true
	if h.Seq > 0 {
		v.anchors = append(v.anchors, h)
		v.report.Anchors++
	}
}

// marks reads the events that tell where chains begin and how far others had got.
// That they are genuine shows when their own chains are walked.
func (v *verifier) marks(ctx context.Context) error {
	q := Query{Kinds: []Kind{Pruned, ChainBegan, DataImported}, Limit: verifyPage}
	for {
		page, err := v.store.List(ctx, q)
		if err != nil {
			return fmt.Errorf("reading marks: %w", err)
		}
		for _, e := range page {
			v.chains[e.Chain] = true
			for _, text := range e.Details {
				h, err := ParseHead(text)
				switch {
				case err != nil: // its seal will be wrong, too
				case e.Kind == Pruned:
					v.gone[h.Chain] = append(v.gone[h.Chain], h)
				default:
					v.anchor(h)
				}
			}
		}
		if len(page) < q.Limit {
			break
		}
		q.After = page[len(page)-1].Head()
	}
	for _, heads := range v.gone {
		slices.SortFunc(heads, func(a, b Head) int { return cmp.Compare(a.Seq, b.Seq) })
	}
	return nil
}

func (v *verifier) flaw(chain string, seq int64, format string, args ...any) {
	v.report.Flaws = append(v.report.Flaws, Flaw{chain, seq, fmt.Sprintf(format, args...)})
}

// walk looks at one chain.
func (v *verifier) walk(ctx context.Context, chain string) error {
	before := Head{Chain: chain}
	if gone := v.gone[chain]; len(gone) > 0 {
		before = gone[len(gone)-1]
		v.report.Gone = append(v.report.Gone, before)
	}
	wanted := map[int64][]Head{}
	for _, h := range v.anchors {
		if h.Chain == chain {
			wanted[h.Seq] = append(wanted[h.Seq], h)
		}
	}
	for {
		page, err := v.store.Chain(ctx, chain, before.Seq, verifyPage)
		if err != nil {
			return fmt.Errorf("reading chain %s: %w", chain, err)
		}
		for i := range page {
			v.look(&page[i], before)
			before = page[i].Head()
			for _, h := range wanted[before.Seq] {
				if h.Seal != before.Seal {
					v.flaw(chain, before.Seq, "the log was written anew from here or before: a head that was kept has another seal")
				}
			}
		}
		if len(page) < verifyPage {
			break
		}
	}
	v.end(chain, before, wanted)
	return nil
}

// look compares an event with the one before it.
func (v *verifier) look(e *Event, before Head) {
	v.report.Events++
	if e.Seq != before.Seq+1 {
		v.flaw(e.Chain, before.Seq+1, "%s missing", isAre(e.Seq-before.Seq-1, "event"))
		return // its seal cannot be compared, as that of the one before is gone
	}
	key, ok := v.keys.byID(e.KeyID)
	switch {
	case !ok:
		v.flaw(e.Chain, e.Seq, "the event of %s is sealed by key %s, which is not known", e.At.Format("2006-01-02 15:04:05Z"), e.KeyID)
	case seal(key, before.Seal, e) != e.Seal:
		v.flaw(e.Chain, e.Seq, "the event of %s was changed, moved or put in its place", e.At.Format("2006-01-02 15:04:05Z"))
	}
	switch {
	case e.KeyID != "":
		v.keyed = e.Chain
	case v.keyed == e.Chain:
		v.flaw(e.Chain, e.Seq, "the event of %s has no key, and those before it have", e.At.Format("2006-01-02 15:04:05Z"))
		fallthrough
	default:
		v.report.Unkeyed++
	}
}

func isAre(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return fmt.Sprintf("%d %ss are", n, thing)
}

// end looks at where a chain ends.
func (v *verifier) end(chain string, last Head, wanted map[int64][]Head) {
	if last.Seq > 0 {
		v.report.Chains = append(v.report.Chains, last)
	}
	if len(wanted) == 0 {
		return
	}
	if furthest := slices.Max(slices.Collect(maps.Keys(wanted))); furthest > last.Seq {
		v.flaw(chain, last.Seq+1, "the end was cut off: %s missing, as the log had got to %d", isAre(furthest-last.Seq, "event"), furthest)
	}
}
