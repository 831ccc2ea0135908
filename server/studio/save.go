package studio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"sluice/engine"
	"sluice/server/format"
)

// Save writes a text to its file.
type Save struct {
	File     string `json:"file"`
	Text     string `json:"text"`
	Revision string `json:"revision"` // that the text began from; "" for a file that must not be there yet
}

// Removal removes a file.
type Removal struct {
	File     string `json:"file"`
	Revision string `json:"revision"`
}

// Renaming moves a file and its tests.
type Renaming struct {
	File     string `json:"file"`
	To       string `json:"to"`
	Revision string `json:"revision"`
}

// Saved is what a file is afterwards.
type Saved struct {
	File     string    `json:"file"`
	Revision string    `json:"revision"` // "" where it is gone
	Problems []Problem `json:"problems"` // of the whole app: with any but warnings the last good version is served on
	Served   bool      `json:"served"`   // the files can be served as they are
}

// Theirs are the details of changed_on_disk: what is there now.
type Theirs struct {
	File     string `json:"file"`
	Text     string `json:"text"`     // "" where the file is gone
	Revision string `json:"revision"` // "" where the file is gone
	Base     string `json:"base"`     // text of the revision that was sent, where the server still knows it; else ""
}

// maxFile is the longest text of a file, in bytes: longer ones do not load.
const maxFile = 1 << 20

// texts remember what files held, by revision.
type texts struct {
	mu    sync.Mutex
	by    map[string]string // guarded by mu
	order []string          // guarded by mu; oldest first
}

// maxTexts is how many of them are remembered.
const maxTexts = 64

func (t *texts) keep(text string) {
	rev := revision(text)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]string{}
	}
	if _, known := t.by[rev]; known {
		return
	}
	if t.order = append(t.order, rev); len(t.order) > maxTexts {
		delete(t.by, t.order[0])
		t.order = t.order[1:]
	}
	t.by[rev] = text
}

func (t *texts) of(rev string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[rev]
}

// unchanged says with what is there that a file is not of a revision any more, or nil.
func (s *Studio) unchanged(file, rev string) error {
	text, now, err := s.disk(file)
	if err != nil || now == rev {
		return err
	}
	failed := engine.Fail(engine.Conflict, "changed_on_disk", "The file has changed on the disk since it was opened.")
	failed.Items[0].Details, err = json.Marshal(Theirs{file, text, now, s.texts.of(rev)})
	if err != nil {
		return fmt.Errorf("telling what changed: %w", err)
	}
	return failed
}

// change makes a change of the folder, one at a time, and tells what came of it.
func (s *Studio) change(file string, rev string, do func(*os.Root) error) (Saved, error) {
	if s.Dir == "" {
		return Saved{}, engine.Fail(engine.Forbidden, "no_folder", "These are the flows that come with Sluice. Make a folder flows to have flows of your own, as sluice new does.")
	}
	s.saving.Lock()
	defer s.saving.Unlock()
	if err := s.unchanged(file, rev); err != nil {
		return Saved{}, err
	}
	root, err := os.OpenRoot(s.Dir) // nothing outside of it can be reached, by no link
	if err != nil {
		return Saved{}, fmt.Errorf("opening the folder: %w", err)
	}
	defer root.Close()
	if err := do(root); err != nil {
		return Saved{}, err
	}
	s.stale()
	s.Reload()
	survey, err := s.surveyed()
	if err != nil {
		return Saved{}, err
	}
	_, now, err := s.disk(file)
	return Saved{file, now, s.problems(append(survey.Problems, survey.Warnings...)), len(survey.Problems) == 0}, err
}

func (s *Studio) save(_ context.Context, in Save) (Saved, error) {
	if err := checkFile(in.File); err != nil {
		return Saved{}, err
	}
	if len(in.Text) > maxFile || strings.ContainsRune(in.Text, 0) {
		return Saved{}, refused("bad_text", "A flow file holds text, %d KiB at most.", maxFile>>10)
	}
	return s.change(in.File, in.Revision, func(root *os.Root) error { return write(root, in.File, in.Text) })
}

// write puts a file in place whole or not at all.
func write(root *os.Root, file, text string) error {
	mode := fs.FileMode(0o644)
	if info, err := root.Stat(file); err == nil {
		if !info.Mode().IsRegular() {
			return refused("bad_file", "%s is no file.", file)
		}
		mode = info.Mode().Perm()
	}
	if dir := path.Dir(file); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return unwritable(file, err)
		}
	}
	draft := path.Join(path.Dir(file), "."+path.Base(file)+".draft") // a name that is not loaded
	f, err := root.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return unwritable(file, err)
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = root.Rename(draft, file)
	}
	if err != nil {
		return unwritable(file, errors.Join(err, root.Remove(draft)))
	}
	return nil
}

// unwritable is what the page is told where the system does not let a file be written.
func unwritable(file string, err error) error {
	failed := engine.Fail(engine.Forbidden, "unwritable", fmt.Sprintf("%s cannot be written here. The log says why.", file))
	failed.Err = fmt.Errorf("writing %s: %w", file, err)
	return failed
}

func (s *Studio) remove(_ context.Context, in Removal) (Saved, error) {
	if err := checkFile(in.File); err != nil {
		return Saved{}, err
	}
	return s.change(in.File, in.Revision, func(root *os.Root) error {
		if in.Revision == "" {
			return missing("There is no file %s.", in.File)
		}
		if err := root.Remove(in.File); err != nil {
			return unwritable(in.File, err)
		}
		return nil
	})
}

func (s *Studio) rename(_ context.Context, in Renaming) (Saved, error) {
	for _, file := range []string{in.File, in.To} {
		if err := checkFile(file); err != nil {
			return Saved{}, err
		}
	}
	saved, err := s.change(in.File, in.Revision, func(root *os.Root) error {
		if in.Revision == "" {
			return missing("There is no file %s.", in.File)
		}
		if _, err := root.Lstat(in.To); err == nil {
			return engine.Fail(engine.Conflict, "exists", fmt.Sprintf("There is a file %s already.", in.To))
		}
		if err := root.MkdirAll(path.Dir(in.To), 0o755); err != nil {
			return unwritable(in.To, err)
		}
		if err := root.Rename(in.File, in.To); err != nil {
			return unwritable(in.To, err)
		}
		return moveTests(root, in.File, in.To)
	})
	if err != nil {
		return saved, err
	}
	saved.File = in.To
	_, saved.Revision, err = s.disk(in.To)
	return saved, err
}

// moveTests moves the tests of a flow along with it.
func moveTests(root *os.Root, file, to string) error {
	test := func(file string) string { return strings.TrimSuffix(file, ".yaml") + ".test.yaml" }
	if kindOf(file) != "endpoint" || kindOf(to) != "endpoint" {
		return nil
	}
	if _, err := root.Lstat(test(file)); err != nil {
		return nil // there are none
	}
	if _, err := root.Lstat(test(to)); err == nil {
		return nil // they would take the place of others
	}
	if err := root.Rename(test(file), test(to)); err != nil {
		return unwritable(test(to), err)
	}
	return nil
}

// format writes a text as sluice fmt does.
func (s *Studio) format(_ context.Context, in Draft) (Sheet, error) {
	if err := checkFile(in.File); err != nil {
		return Sheet{}, err
	}
	text, err := format.Source(in.File, []byte(in.Text))
	if problems := (engine.Problems{}); errors.As(err, &problems) {
		return Sheet{}, refused("not_formatted", "It cannot be formatted: %s.", problems[0].Message)
	}
	if err != nil {
		return Sheet{}, err
	}
	return s.sheet(in.File, string(text))
}
