package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/nodes/audit"
	"sluice/nodes/record"
	"sluice/server"
	"sluice/server/admin"
	"sluice/server/store"
	"sluice/server/store/transfer"
)

func backupCommand() command {
	return command{
		name: "backup", args: "FILE", most: 1,
		about: "Writes all that a database holds to a file, beside a server that runs or without one.",
		more: `Of the embedded database it is one state of everything; of a MongoDB each document is
as it was at some moment of the backup, and no session is there without its user. FILE
can be - for standard output. It holds the hashes of passwords and of tokens: keep it as
the database itself. The audit log is in it, and can be verified wherever it is restored
(where the setting audit-keys seals it, that goes along by hand).

Examples:

  sluice backup monday.backup
  sluice backup --data /var/lib/sluice - | ssh vault 'cat > monday.backup'
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set := storeFlags(flags)
			return func(ctx context.Context, c *call) error {
				if len(c.args) == 0 {
					return misused("backup wants the name of a file")
				}
				conf, problems, err := c.configure(set)
				if err := cmp.Or(err, problems.Err()); err != nil {
					return err
				}
				return c.carried(ctx, conf, false, func(carrier admin.Carrier) error { return c.backup(ctx, carrier, c.args[0]) })
			}
		},
	}
}

// path makes a path of the command line one that can be opened.
func (c *call) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// backup has the store written to a file that gets its name when it is whole.
func (c *call) backup(ctx context.Context, carrier admin.Carrier, name string) error {
	if name == "-" {
		return carrier.Do(ctx, "store.backup", []byte("{}"), c.Stdout)
	}
	path, began := c.path(name), time.Now()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; choose another name", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // of mode 600
	if err != nil {
		return fmt.Errorf("making the backup: %w", err)
	}
	tally, err := fillBackup(ctx, carrier, f)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(f.Name(), path) // which, unlike a rename, takes nobody's place
		if err != nil && !errors.Is(err, fs.ErrExist) {
			err = os.Rename(f.Name(), path) // a file system without links
		}
	}
	if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		return fmt.Errorf("backing up to %s: %w", path, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at the backup: %w", err)
	}
	fmt.Fprintf(c.Stdout, "%s has %v, %d KiB in %s\n", path, tally, (info.Size()+1023)>>10, millis(time.Since(began)))
	return nil
}

// fillBackup writes a backup to the disk and reads it again, to prove that it is whole.
func fillBackup(ctx context.Context, carrier admin.Carrier, f *os.File) (transfer.Tally, error) {
	err := carrier.Do(ctx, "store.backup", []byte("{}"), f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return transfer.Tally{}, err
	}
	_, tally, err := transfer.Verify(f)
	return tally, err
}

func restoreCommand() command {
	return command{
		name: "restore", args: "FILE", most: 1,
		about: "Fills an empty database from a backup, of whichever kind of database that was made.",
		more: `The file is verified before anything is written, and what is there afterwards is
compared with it. Sessions live on, but for those that have expired. No server may have
the database. An embedded database is filled whole or stays as it is; a MongoDB in which
a restore was cut off is refused by every server until --replace has filled it.
The audit log of the backup goes on where it ended, with an event that says so.

Examples:

  sluice restore monday.backup
  sluice restore --store mongodb://db.internal/sluice --replace monday.backup
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set := storeFlags(flags)
			replace := flags.Bool("replace", false, "Delete what the database holds.")
			return func(ctx context.Context, c *call) error {
				if len(c.args) == 0 {
					return misused("restore wants the name of a file")
				}
				conf, problems, err := c.configure(set)
				if err := cmp.Or(err, problems.Err()); err != nil {
					return err
				}
				return c.restore(ctx, conf, c.args[0], *replace)
			}
		},
	}
}

func (c *call) restore(ctx context.Context, conf server.Config, name string, replace bool) error {
	f, err := os.Open(c.path(name))
	if err != nil {
		return fmt.Errorf("opening the backup: %w", err)
	}
	defer f.Close()
	began, p := time.Now(), newProgress(c.Stderr, "restoring", 0)
	closed := func() error { return nil }
	var into *store.Store
	open := func(want transfer.Tally) (record.Store, error) {
		s, err := c.ownStore(ctx, conf)
		if err != nil {
			return nil, err
		}
		into, closed, p.total = s, s.Close, want.Records()
		return s.Records, nil
	}
	head, got, err := transfer.Restore(ctx, f, open, transfer.Options{Replace: replace, Seen: p.seen})
	p.end()
	if err == nil {
		err = c.noteImport(ctx, into)
	}
	if err = errors.Join(err, closed()); err != nil {
		return filled(fmt.Errorf("restoring %s: %w", c.path(name), err))
	}
	fmt.Fprintf(c.Stdout, "%v restored and compared in %s; the backup is of %s, by Sluice %s\n", got, millis(time.Since(began)), clock(head.Time), shown(head.Version))
	return nil
}

// noteImport verifies the audit log that came into a store and writes the event
// that says where its chains ended then.
func (c *call) noteImport(ctx context.Context, s *store.Store) error {
	r, err := audit.Verify(ctx, s.Audit)
	if err != nil {
		return fmt.Errorf("verifying the audit log: %w", err)
	}
	if len(r.Flaws) > 0 {
		fmt.Fprintln(c.Stderr, "The audit log that came along is not as it was written, or sealed by audit-keys that are not set; sluice audit verify says more.")
	}
	e := audit.ImportedEvent(r.Chains)
	e.Actor = audit.CommandLine
	if _, err := s.Audit.Append(ctx, e); err != nil {
		return fmt.Errorf("noting the import in the audit log: %w", err)
	}
	return nil
}

// filled says in plain words why a store was not filled.
func filled(err error) error {
	switch {
	case errors.Is(err, record.ErrNotEmpty):
		return errors.New("the database is not empty; --replace deletes what it holds")
	case errors.Is(err, record.ErrUnfinished):
		return errors.New("a restore or a migration into the database was cut off; --replace begins anew")
	}
	return err
}

func migrateCommand() command {
	return command{
		name: "migrate", most: 0,
		about: "Copies everything from one database into an empty other one, and compares both.",
		more: `Databases are named as by the setting store. No server may write to either meanwhile;
one that does is noticed, and the copy then does not count. Sessions stay signed in.
What was cut off is begun anew with --replace.

Examples:

  sluice migrate --from sqlite:data --to mongodb://db.internal/sluice
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			from := flags.String("from", "", "Database to copy from, as sqlite:DIR or mongodb://HOST/NAME.")
			to := flags.String("to", "", "Database to copy into.")
			replace := flags.Bool("replace", false, "Delete what the other database holds.")
			return func(ctx context.Context, c *call) error {
				switch {
				case *from == "" || *to == "":
					return misused("migrate wants --from and --to")
				case *from == *to:
					return misused("--from and --to name the same database")
				}
				return c.migrate(ctx, *from, *to, *replace)
			}
		},
	}
}

func (c *call) migrate(ctx context.Context, from, to string, replace bool) error {
	from, to = c.address(from), c.address(to)
	if !store.Exists(from) {
		return fmt.Errorf("there is no database in %s", store.Dir(from))
	}
	conf, problems, err := c.configure(given{})
	if err := cmp.Or(err, problems.Err()); err != nil {
		return err
	}
	keys, err := conf.SealingKeys()
	if err != nil {
		return err
	}
	source, err := store.OpenStill(ctx, from)
	if err != nil {
		return fmt.Errorf("opening the database to copy from: %w", owned(err, server.Config{}))
	}
	target, err := store.OpenStill(ctx, to, keys...)
	if err != nil {
		return errors.Join(fmt.Errorf("opening the database to copy into: %w", owned(err, server.Config{})), source.Close())
	}
	total := 0
	counts, err := source.Records.Count(ctx)
	for _, n := range counts {
		total += n
	}
	var got transfer.Tally
	began, p := time.Now(), newProgress(c.Stderr, "copying", total)
	if err == nil {
		got, err = transfer.Copy(ctx, source.Records, target.Records, transfer.Options{Replace: replace, Seen: p.seen})
	}
	p.end()
	if err == nil {
		err = c.noteImport(ctx, target)
	}
	if err = errors.Join(err, target.Close(), source.Close()); err != nil {
		return filled(err)
	}
	fmt.Fprintf(c.Stdout, "%v copied from %s to %s and compared in %s\n", got, source.Kind, target.Kind, millis(time.Since(began)))
	return nil
}

// address makes the directory in the URL of an embedded store one that can be
// opened from the working directory.
func (c *call) address(url string) string {
	if dir := store.Dir(url); dir != "" && !filepath.IsAbs(dir) {
		return "sqlite:" + c.path(dir)
	}
	return url
}
