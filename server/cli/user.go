package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"strings"

	"sluice/nodes/session"
	"sluice/nodes/user"
	"sluice/server/admin"
)

// userFlags are the flags of user.
type userFlags struct {
	*page
	email, phone, name, groups string
	stdin                      bool
}

func userCommand() command {
	return command{
		name: "user", args: "list | show USER | add | disable USER | enable USER | groups USER | password USER | delete USER", most: 2,
		about: "Lists, adds and changes users, beside a server that runs or without one.",
		more: `A USER is an id, an e-mail address or a phone number, as in +14155550100. Passwords come from standard input. Disabling a
user, setting groups, a new password and deletion end all sessions of the user at once.

Examples:

  sluice user add --email ada@example.com --groups admin --password-stdin < password.txt
  sluice user add --phone +14155550100 --password-stdin < password.txt
  sluice user list --json
  sluice user groups ada@example.com --groups admin,staff
  sluice user groups ada@example.com --groups ''
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set := storeFlags(flags)
			f := &userFlags{page: pageFlags(flags)}
			flags.StringVar(&f.email, "email", "", "E-mail address of a new user.")
			flags.StringVar(&f.phone, "phone", "", "Phone number of a new user, with the country code, beside an address or without one.")
			flags.StringVar(&f.name, "name", "", "Name of a new user.")
			groups := flags.String("groups", "\x00", "Access groups, with commas; '' for none. With groups, in place of those there are.")
			flags.BoolVar(&f.stdin, "password-stdin", false, "Read the password from standard input.")
			return func(ctx context.Context, c *call) error {
				f.groups = *groups
				return c.act(ctx, "user", set, f.actions())
			}
		},
	}
}

func (f *userFlags) actions() []action {
	return []action{
		{name: "list", run: f.list},
		{name: "show", args: 1, run: f.show},
		{name: "add", make: true, run: f.add},
		{name: "disable", args: 1, run: f.switched(true)},
		{name: "enable", args: 1, run: f.switched(false)},
		{name: "groups", args: 1, run: f.regroup},
		{name: "password", args: 1, run: f.password},
		{name: "delete", args: 1, run: f.delete},
	}
}

// given returns the groups that were given; nil where none were.
func (f *userFlags) given() []string {
	if f.groups == "\x00" {
		return nil
	}
	return append([]string{}, strings.FieldsFunc(f.groups, func(r rune) bool { return r == ',' })...)
}

func (f *userFlags) list(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
	got, err := admin.Do[admin.Users](ctx, carrier, "user.list", admin.ListUsers{After: f.after, Limit: f.limit})
	if err != nil {
		return err
	}
	t := table(c.Stdout)
	if !f.json {
		fmt.Fprintln(t, "ID\tE-MAIL\tPHONE\tNAME\tGROUPS\tSTATE\tSINCE")
	}
	for _, u := range got.Users {
		if f.json {
			if err := c.printLine(u); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shown(u.ID), shown(u.Email), shown(u.Phone), shown(u.Name), shown(strings.Join(u.Groups, ",")), state(u), clock(u.CreationDtm))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing users: %w", err)
	}
	f.next(c, got.Next)
	return nil
}

func state(u user.User) string {
	switch {
	case u.Disabled:
		return "disabled"
	case u.EmailVerified && u.PhoneVerified:
		return "address and phone verified"
	case u.EmailVerified:
		return "verified"
	case u.PhoneVerified:
		return "phone verified"
	}
	return "unverified"
}

func (f *userFlags) show(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
	p, err := admin.Do[admin.Person](ctx, carrier, "user.show", admin.ShowUser{User: args[0]})
	if err != nil {
		return err
	}
	if f.json {
		return c.printLine(p)
	}
	t := table(c.Stdout)
	for _, row := range [][2]string{
		{"id", shown(p.ID)}, {"e-mail", shown(p.Email)}, {"phone", shown(p.Phone)}, {"name", shown(p.Name)}, {"groups", shown(strings.Join(p.Groups, ","))},
		{"state", state(p.User)}, {"since", clock(p.CreationDtm)}, {"changed", clock(p.UpdatedDtm)}, {"sessions", fmt.Sprint(p.Sessions)},
	} {
		fmt.Fprintf(t, "%s\t%s\n", row[0], row[1])
	}
	return t.Flush()
}

func (f *userFlags) add(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
	if f.email == "" && f.phone == "" {
		return misused("user add wants --email or --phone")
	}
	password, err := c.password(f.stdin)
	if err != nil {
		return err
	}
	u, err := admin.Do[user.User](ctx, carrier, "user.add", admin.AddUser{Email: f.email, Phone: f.phone, Password: password, Name: f.name, Groups: f.given()})
	if err != nil {
		return err
	}
	if f.json {
		return c.printLine(u)
	}
	fmt.Fprintln(c.Stdout, u.ID)
	return nil
}

func (f *userFlags) switched(disabled bool) func(context.Context, *call, admin.Carrier, []string) error {
	return func(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
		return f.change(ctx, c, carrier, admin.ChangeUser{User: args[0], Disabled: &disabled})
	}
}

func (f *userFlags) regroup(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
	groups := f.given()
	if groups == nil {
		return misused("user groups wants --groups, with '' for none")
	}
	return f.change(ctx, c, carrier, admin.ChangeUser{User: args[0], Groups: groups})
}

func (f *userFlags) change(ctx context.Context, c *call, carrier admin.Carrier, in admin.ChangeUser) error {
	u, err := admin.Do[user.User](ctx, carrier, "user.change", in)
	if err != nil {
		return err
	}
	if f.json {
		return c.printLine(u)
	}
	how := "can sign in again"
	switch {
	case in.Groups != nil:
		how = "has the groups " + shown(strings.Join(u.Groups, ",")) + ", all sessions have ended"
	case u.Disabled:
		how = "is disabled, all sessions have ended"
	}
	fmt.Fprintf(c.Stdout, "%s %s\n", shown(cmp.Or(u.Email, u.Phone)), how)
	return nil
}

func (f *userFlags) password(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
	password, err := c.password(f.stdin)
	if err != nil {
		return err
	}
	ended, err := admin.Do[admin.Ended](ctx, carrier, "user.password", admin.SetPassword{User: args[0], Password: password})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "The password is set, %s ended\n", count(ended.Ended, "session"))
	return nil
}

func (f *userFlags) delete(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
	u, err := admin.Do[user.User](ctx, carrier, "user.delete", admin.DeleteUser{User: args[0]})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "%s is deleted, all sessions have ended\n", shown(cmp.Or(u.Email, u.Phone)))
	return nil
}

func sessionCommand() command {
	return command{
		name: "session", args: "list | end ID | end-all", most: 2,
		about: "Lists and ends sessions, beside a server that runs or without one.",
		more: `A session that was ended is dead on its next request.

Examples:

  sluice session list --user ada@example.com
  sluice session end 01a2090f-6a61-7cf4-9e5c-3b1a5f0d8c11 --user ada@example.com
  sluice session end-all --user ada@example.com
  sluice session end-all --everyone
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set, p := storeFlags(flags), pageFlags(flags)
			of := flags.String("user", "", "Id or e-mail address of the user.")
			everyone := flags.Bool("everyone", false, "For end-all: end the sessions of all users.")
			end := func(ctx context.Context, c *call, carrier admin.Carrier, in admin.EndSessions) error {
				ended, err := admin.Do[admin.Ended](ctx, carrier, "session.end", in)
				if err == nil {
					fmt.Fprintf(c.Stdout, "%s ended\n", count(ended.Ended, "session"))
				}
				return err
			}
			actions := []action{
				{name: "list", run: func(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
					return p.sessions(ctx, c, carrier, *of)
				}},
				{name: "end", args: 1, run: func(ctx context.Context, c *call, carrier admin.Carrier, args []string) error {
					return end(ctx, c, carrier, admin.EndSessions{User: *of, ID: args[0]})
				}},
				{name: "end-all", run: func(ctx context.Context, c *call, carrier admin.Carrier, _ []string) error {
					return end(ctx, c, carrier, admin.EndSessions{User: *of, All: true, Everyone: *everyone})
				}},
			}
			return func(ctx context.Context, c *call) error {
				switch {
				case *everyone && (len(c.args) != 1 || c.args[0] != "end-all" || *of != ""):
					return misused("--everyone goes with end-all alone")
				case *of == "" && !*everyone && len(c.args) > 0:
					return misused("session wants --user, an id or an e-mail address")
				}
				return c.act(ctx, "session", set, actions)
			}
		},
	}
}

// sessions lists sessions.
func (p *page) sessions(ctx context.Context, c *call, carrier admin.Carrier, of string) error {
	got, err := admin.Do[admin.Sessions](ctx, carrier, "session.list", admin.ListSessions{User: of, After: p.after, Limit: p.limit})
	if err != nil {
		return err
	}
	t := table(c.Stdout)
	if !p.json {
		fmt.Fprintln(t, "ID\tSINCE\tLAST SEEN\tENDS\tGROUPS\tIP\tPROGRAM")
	}
	for _, s := range got.Sessions {
		if p.json {
			if err := c.printLine(s); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", shown(s.ID), clock(s.CreationDtm), clock(s.LastSeenDtm), clock(s.ExpiresDtm),
			shown(strings.Join(s.AccessGroupKeys, ",")), shown(s.IP), shown(program(s.UserAgent)))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("printing sessions: %w", err)
	}
	p.next(c, got.Next)
	return nil
}

// program names a program in a few words.
func program(a session.UserAgent) string {
	text := strings.TrimSpace(a.Family + " " + a.Major)
	if a.OS.Family != "" {
		text += " on " + a.OS.Family
	}
	return text
}
