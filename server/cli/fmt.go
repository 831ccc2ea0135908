package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sluice/engine"
	"sluice/server/format"
)

func fmtCommand() command {
	return command{
		name: "fmt", args: "[FILE|DIR...]", most: -1,
		about: "Formats flow files, so that all of them are written in one way.",
		more: `Without a name it formats the folder that serve would serve. Comments, quotes
and the breaks of long lines stay as they are, and so does what a file means. It
exits with 1 where a file cannot be formatted and, with -l or -d, where one is not
formatted yet; these two write nothing.

Examples:

  sluice fmt
  sluice fmt -d flows/auth
  sluice fmt -l ./flows ../shop/flows
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			list := flags.Bool("l", false, "List the files that are not formatted, and leave them as they are.")
			diff := flags.Bool("d", false, "Show what would change, and leave the files as they are.")
			return func(_ context.Context, c *call) error { return c.format(*list, *diff) }
		},
	}
}

// format formats files, or says which ones it would.
func (c *call) format(list, diff bool) error {
	files, err := c.formatted()
	if err != nil {
		return err
	}
	var problems engine.Problems
	changed := 0
	for _, file := range files {
		before, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading flow: %w", err)
		}
		after, err := format.Source(file, before)
		var more engine.Problems
		switch {
		case errors.As(err, &more):
			problems = append(problems, more...)
			continue
		case err != nil:
			return err
		case bytes.Equal(before, after):
			continue
		}
		changed++
		switch {
		case diff:
			fmt.Fprint(c.Stdout, format.Diff(file, before, after))
		case list:
			fmt.Fprintln(c.Stdout, file)
		default:
			if err := replace(file, after); err != nil {
				return err
			}
			fmt.Fprintln(c.Stdout, "formatted", file)
		}
	}
	looking := list || diff
	switch {
	case len(problems) > 0:
		fmt.Fprintf(c.Stdout, "%v\n%s\n", problems, summed(problems))
		return errTold
	case looking && changed > 0:
		return errTold
	case !looking && changed == 0:
		fmt.Fprintf(c.Stdout, "%s, all formatted\n", count(len(files), "file"))
	}
	return nil
}

// formatted lists the files that the arguments name.
func (c *call) formatted() ([]string, error) {
	roots := c.args
	if len(roots) == 0 {
		conf, problems, err := c.configure(nil)
		if err := cmp.Or(err, problems.Err()); err != nil {
			return nil, err
		}
		roots = []string{cmp.Or(conf.Flows, "flows")}
	}
	var files []string
	for _, root := range roots {
		if !filepath.IsAbs(root) {
			root = filepath.Join(c.Dir, root)
		}
		err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			switch name := filepath.Base(file); {
			case errors.Is(err, fs.ErrNotExist):
				return fmt.Errorf("there is no file or folder %s", file)
			case err != nil:
				return fmt.Errorf("looking for flows: %w", err)
			case file != root && strings.ContainsRune("._", rune(name[0])): // as when flows are loaded
				if d.IsDir() {
					return fs.SkipDir
				}
			case !d.IsDir() && (file == root || filepath.Ext(name) == ".yaml"):
				files = append(files, file)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// replace writes a file as a whole or not at all.
func replace(file string, data []byte) (err error) {
	info, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("writing flow: %w", err)
	}
	// The dot keeps a server that watches the folder from loading it.
	temp, err := os.CreateTemp(filepath.Dir(file), ".sluice-*")
	if err != nil {
		return fmt.Errorf("writing flow: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("writing flow: %w", errors.Join(err, os.Remove(temp.Name())))
		}
	}()
	_, err = temp.Write(data)
	if err = errors.Join(err, temp.Chmod(info.Mode().Perm()), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}
