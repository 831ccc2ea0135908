package cli

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/engine"
	"sluice/nodes/apikey"
	"sluice/server"
	"sluice/server/admin"
)

// keyFlags are the flags of key.
type keyFlags struct {
	*page
	set                  given
	name, scope, expires string
	endpoints, roles     []string
}

func keyCommand() command {
	return command{
		name: "key", args: "list | add | suspend ID | resume ID | end ID", most: 2,
		about: "Makes, lists, suspends and ends the API keys of programs, beside a server that runs or without one.",
		more: `add shows the key this once: only its SHA-256 is kept. A key reaches the endpoints with
an apiKey line that its scope has: full has them all, readOnly those with GET, only those
that --endpoint names, and except all others. Roles are the access groups that a key has
where an endpoint takes it instead of a session; a key with a role is full unless --scope
says otherwise. Suspending can be taken back by resume, ending cannot. What a key may call
never changes; make another one.

Examples:

  sluice key add --name importer --scope readOnly --expires 90d
  sluice key add --name orders --scope only --endpoint "GET /orders/{id}" --endpoint "POST /orders"
  sluice key add --name "sign-in pages" --role login
  sluice key list
  sluice key suspend 01920000-0000-7000-8000-000000000000
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			f := &keyFlags{set: storeFlags(flags), page: pageFlags(flags)}
			flags.StringVar(&f.name, "name", "", "What a new key is for.")
			flags.StringVar(&f.scope, "scope", "", "full, readOnly, only or except.")
			flags.Func("endpoint", "Endpoint of an only or except scope, as in \"GET /orders/{id}\". It can be given more than once.", func(text string) error {
				f.endpoints = append(f.endpoints, text)
				return nil
			})
			flags.Func("role", "Access group of a new key, as in login. It can be given more than once.", func(text string) error {
				f.roles = append(f.roles, text)
				return nil
			})
			flags.StringVar(&f.expires, "expires", "", "How long a new key lives, as in 90d; for ever without it.")
			return func(ctx context.Context, c *call) error {
				if (len(c.args) == 0 || c.args[0] != "add") && (f.name != "" || f.scope != "" || f.expires != "" || len(f.endpoints) > 0 || len(f.roles) > 0) {
					return misused("--name, --scope, --endpoint, --role and --expires are for key add")
				}
				return c.act(ctx, "key", f.set, f.actions())
			}
		},
	}
}

func (f *keyFlags) actions() []action {
	return []action{
		{name: "list", run: f.list},
		{name: "add", make: true, run: f.add},
		{name: "suspend", args: 1, run: f.switched(true)},
		{name: "resume", args: 1, run: f.switched(false)},
		{name: "end", args: 1, run: f.end},
	}
}

// list tells keys, newest first.
func (f *keyFlags) list(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
	got, err := admin.Do[admin.Keys](ctx, carrier, "key.list", admin.ListKeys{After: f.after, Limit: f.limit})
	if err != nil {
		return err
	}
	t := table(c.Stdout)
	if !f.json {
		fmt.Fprintln(t, "ID\tNAME\tSCOPE\tROLES\tSTATE\tEXPIRES\tLAST USED\tUSER")
	}
	for _, k := range got.Keys {
		if f.json {
			if err := c.printLine(k); err != nil {
				return err
			}
			continue
		}
		scope := strings.Join(append([]string{k.Scope}, k.Endpoints...), " ")
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shown(k.ID), shown(k.Name), shown(scope), shown(strings.Join(k.Roles, " ")), keyState(k), clockOrNever(k.ExpiresDtm), clockOrNever(k.LastUsedDtm), shown(k.UserID))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing keys: %w", err)
	}
	f.next(c, got.Next)
	return nil
}

func keyState(k apikey.Key) string {
	switch {
	case k.Suspended:
		return "suspended"
	case !k.Usable(time.Now()):
		return "expired"
	}
	return "good"
}

// clockOrNever is clock for a time that may be zero.
func clockOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return clock(t)
}

func (f *keyFlags) add(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
	if f.scope == "" && len(f.roles) > 0 {
		f.scope = apikey.Full
	}
	if f.name == "" || f.scope == "" {
		return misused("key add wants --name, and --scope or --role")
	}
	in := admin.AddKey{Name: f.name, Scope: f.scope, Endpoints: f.endpoints, Roles: f.roles}
	if f.expires != "" {
		d, err := engine.ParseDuration(f.expires)
		if err != nil || d < time.Minute {
			return misused(fmt.Sprintf("--expires: want a duration from 1m on, as in 12h or 90d, not %q", f.expires))
		}
		in.Expires = time.Now().UTC().Add(d)
	}
	if err := f.checkEndpoints(c); err != nil {
		return err
	}
	made, err := admin.Do[apikey.Fresh](ctx, carrier, "key.add", in)
	if err != nil {
		return err
	}
	if f.json {
		return c.printLine(made)
	}
	_, err = fmt.Fprintf(c.Stdout, "id   %s\nkey  %s\n\nThe key is not shown again. Programs send it as Authorization: KEY.\n", made.ID, made.Secret)
	return err
}

// checkEndpoints refuses endpoints that no flow has: a key that is kept from a
// misspelt endpoint would reach the one that was meant.
func (f *keyFlags) checkEndpoints(c *call) error {
	if len(f.endpoints) == 0 {
		return nil
	}
	conf, _, err := c.configure(f.set) // which has no problems, or there was no carrier
	if err != nil {
		return err
	}
	flows, err := server.Check(conf, c.options()...)
	if err != nil {
		return err
	}
	var known []string
	for _, f := range flows.Served {
		for _, t := range f.Triggers() {
			if f.APIKey != engine.KeyNone {
				known = append(known, t.String())
			}
		}
	}
	for _, e := range f.endpoints {
		if !slices.Contains(known, e) {
			return fmt.Errorf("%s", withHint(fmt.Sprintf("no endpoint %q takes API keys", e), engine.DidYouMean(e, known)))
		}
	}
	return nil
}

func (f *keyFlags) switched(suspended bool) func(context.Context, *call, admin.Carrier, []string) error {
	return func(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
		k, err := admin.Do[apikey.Key](ctx, carrier, "key.change", admin.ChangeKey{ID: args[0], Suspended: suspended})
		if err != nil {
			return err
		}
		if f.json {
			return c.printLine(k)
		}
		done := "resumed"
		if suspended {
			done = "suspended"
		}
		_, err = fmt.Fprintf(c.Stdout, "%s is %s\n", shown(k.ID), done)
		return err
	}
}

func (f *keyFlags) end(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
	if _, err := admin.Do[admin.Nothing](ctx, carrier, "key.end", admin.EndKey{ID: args[0]}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.Stdout, "%s is ended\n", shown(args[0]))
	return err
}
