package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/contract"
)

// A part is what a check of some folder is about.
type part struct {
	dir  string // of all the flows it belongs to
	only string // folder in dir whose files it is about; "" for all
}

// partOf finds the flows that a folder belongs to: those of the nearest folder
// around it, or itself, that declares errors or types for them. A folder called
// flows belongs to no other.
func (c *call) partOf(dir string) (part, error) {
	whole, err := filepath.Abs(c.opened(dir))
	if err != nil {
		return part{}, fmt.Errorf("finding %s: %w", dir, err)
	}
	if info, err := os.Stat(whole); err != nil || !info.IsDir() {
		return part{dir: dir}, nil // loading it says what is wrong
	}
	for root, at := filepath.Clean(dir), whole; ; root, at = filepath.Join(root, ".."), filepath.Dir(at) {
		declares := filepath.Base(at) == "flows"
		for _, name := range []string{"errors.yaml", "types.yaml"} {
			switch _, err := os.Stat(filepath.Join(at, name)); {
			case err == nil:
				declares = true
			case !errors.Is(err, fs.ErrNotExist):
				return part{}, fmt.Errorf("looking for flows: %w", err)
			}
		}
		switch {
		case declares && at != whole:
			return part{root, filepath.Join(c.opened(root), strings.TrimPrefix(whole, at))}, nil
		case declares, at == filepath.Dir(at):
			return part{dir: dir}, nil
		}
	}
}

// opened is a path as it can be opened.
func (c *call) opened(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.Dir, name)
}

// has tells whether a file, named as it can be opened, is in the part.
func (p part) has(file string) bool {
	return p.only == "" || strings.HasPrefix(file, p.only+string(filepath.Separator))
}

// of are those of some problems that are in the part, or in files that stand for
// all flows.
func (p part) of(problems engine.Problems) engine.Problems {
	return slices.DeleteFunc(slices.Clone(problems), func(found engine.Problem) bool {
		return !p.has(found.File) && !slices.Contains([]string{"errors.yaml", "types.yaml", contract.File}, filepath.Base(found.File))
	})
}

// count is how many of the flows of a folder are in the part.
func (p part) count(flows []*engine.Flow, dir string) (n int) {
	for _, f := range flows {
		if p.has(filepath.Join(dir, filepath.FromSlash(f.File))) {
			n++
		}
	}
	return n
}
