package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/server/admin"
)

const (
	auditPage = 500
	auditPoll = time.Second
	// auditOverlap is how far back a poll looks, as an event of another process
	// may come before one that was shown.
	auditOverlap = 10 * time.Second
)

// auditFlags are the flags of audit.
type auditFlags struct {
	since        time.Duration
	who          string
	kinds        []audit.Kind
	json, follow bool
	heads        []audit.Head
}

func auditCommand() command {
	return command{
		name: "audit", args: "[verify]", most: 1,
		about: "Shows who signed in, who could not, and who changed what, or checks that nobody altered that log.",
		more: `It works beside a server that runs or without one.

audit verify walks through the whole log: every event is sealed with the one before
it, so that one which was changed, taken out or moved is told, and so is an end that
was cut off. It prints the head of the log; kept elsewhere and given with --head, it
shows later that nothing up to there was replaced. It ends with 1 where the log is
not as it was written.

Examples:

  sluice audit --since 24h --kind signInFailed
  sluice audit --user ada@example.com --json
  sluice audit verify
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set, f := storeFlags(flags), &auditFlags{}
			flags.DurationVar(&f.since, "since", 0, "How far back, as in 24h. Without it, all there is.")
			flags.StringVar(&f.who, "user", "", "Id or e-mail address of who did it or had it done.")
			flags.BoolVar(&f.json, "json", false, "Print an object a line, with every field.")
			flags.BoolVar(&f.follow, "follow", false, "Go on with what comes, until interrupted.")
			flags.Func("kind", "Kind of events, as signInFailed; can be there more than once.", f.addKinds)
			flags.Func("head", "Head of the log that an earlier verify, or the server's log, told; can be there more than once.", func(text string) error {
				h, err := audit.ParseHead(text)
				f.heads = append(f.heads, h)
				return err
			})
			return func(ctx context.Context, c *call) error {
				do := f.show
				if len(c.args) > 0 {
					if c.args[0] != "verify" {
						return misused(fmt.Sprintf("audit does not know %q, only verify", c.args[0]))
					}
					do = f.verify
				}
				conf, problems, err := c.configure(set)
				if err := cmp.Or(err, problems.Err()); err != nil {
					return err
				}
				return c.carried(ctx, conf, false, func(carrier admin.Carrier) error { return do(ctx, c, carrier) })
			}
		},
	}
}

// addKinds reads a list of kinds.
func (f *auditFlags) addKinds(text string) error {
	for _, name := range items(text) {
		if !audit.Kind(name).Known() {
			var known []string
			for _, k := range audit.Kinds() {
				known = append(known, string(k))
			}
			return errors.New(withHint("no event is of this kind", engine.DidYouMean(name, known)))
		}
		f.kinds = append(f.kinds, audit.Kind(name))
	}
	return nil
}

// show prints events, oldest first, a line for each.
func (f *auditFlags) show(ctx context.Context, c *call, carrier admin.Carrier) error {
	in := admin.ListEvents{Kinds: f.kinds, User: f.who, Limit: auditPage}
	if f.since > 0 {
		in.Since = time.Now().Add(-f.since)
	}
	told := map[string]time.Time{} // ids of events that a poll may find again
	for {
		page, err := admin.Do[admin.Events](ctx, carrier, "audit.list", in)
		if err != nil {
			if f.follow && ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, e := range page.Events {
			if _, ok := told[e.ID]; ok {
				continue
			}
			if err := f.print(c, &e); err != nil {
				return fmt.Errorf("printing audit events: %w", err)
			}
			if f.follow {
				told[e.ID] = e.At
			}
		}
		switch last := len(page.Events); {
		case last == auditPage:
			in.After = page.Events[last-1].Head()
			continue
		case !f.follow:
			return nil
		case last > 0:
			if from := page.Events[last-1].At.Add(-auditOverlap); from.After(in.Since) {
				in.Since = from
			}
		}
		in.After = audit.Head{}
		maps.DeleteFunc(told, func(_ string, at time.Time) bool { return at.Before(in.Since) })
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(auditPoll):
		}
	}
}

// print prints an event on a line.
func (f *auditFlags) print(c *call, e *audit.Event) error {
	if f.json {
		return c.printLine(e)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-15s", clock(e.At), e.Kind)
	field := func(name, value string) {
		if value == "" {
			return
		}
		if strings.ContainsAny(value, " =\"") {
			value = fmt.Sprintf("%q", value)
		}
		fmt.Fprintf(&b, "  %s=%s", name, shown(value))
	}
	if e.Outcome != audit.Done {
		field("outcome", e.Outcome)
	}
	field("subject", e.Subject)
	if e.Actor != e.Subject {
		field("actor", e.Actor)
	}
	field("session", e.SessionID)
	field("ip", e.IP)
	field("flow", e.Flow)
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		field(shown(name), e.Details[name])
	}
	_, err := fmt.Fprintln(c.Stdout, b.String())
	return err
}

// verify checks the log and prints what it found.
func (f *auditFlags) verify(ctx context.Context, c *call, carrier admin.Carrier) error {
	r, err := admin.Do[audit.Report](ctx, carrier, "audit.verify", admin.VerifyAudit{Heads: f.heads})
	if err != nil {
		return err
	}
	if _, err := io.WriteString(c.Stdout, verdict(&r)); err != nil {
		return fmt.Errorf("printing what was found: %w", err)
	}
	if len(r.Flaws) > 0 {
		return errTold
	}
	return nil
}

// verdict says in words what a verification found.
func verdict(r *audit.Report) string {
	var b strings.Builder
	for _, flaw := range r.Flaws {
		fmt.Fprintf(&b, "%v\n", flaw)
	}
	for _, h := range r.Gone {
		fmt.Fprintf(&b, "%s: pruned up to here\n", audit.ID(h.Chain, h.Seq))
	}
	if r.Unkeyed > 0 {
		fmt.Fprintf(&b, "%s sealed without a key: whoever can write to the store could have forged what is\n", count(r.Unkeyed, "event"))
	}
	if r.Anchors == 0 && r.Events > 0 {
		b.WriteString("no head of the log is known: whether its end was cut off cannot be told\n")
	}
	if len(r.Flaws) > 0 {
		fmt.Fprintf(&b, "the log is not as it was written: %s in %s\n", count(len(r.Flaws), "flaw"), count(r.Events, "event"))
	} else {
		fmt.Fprintf(&b, "%s, unbroken\n", count(r.Events, "event"))
	}
	for _, h := range r.Chains {
		fmt.Fprintf(&b, "head %s\n", h)
	}
	return b.String()
}
