package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"sluice/flows"
)

// shipped makes a folder with a copy of the flows that come with Sluice in flows.
func shipped(t testing.TB) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "flows"), flows.FS); err != nil {
		t.Fatalf("copying flows: %v", err)
	}
	return dir
}

// open makes such a folder whose flows have no limits, with flows beside them
// that tests use.
func open(t testing.TB) (dir string) {
	t.Helper()
	dir = shipped(t)
	limit := regexp.MustCompile(`(?m)^limit:.*\n`)
	err := filepath.WalkDir(filepath.Join(dir, "flows"), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		return os.WriteFile(file, limit.ReplaceAll(text, nil), 0o600)
	})
	if err != nil {
		t.Fatalf("removing limits: %v", err)
	}
	for name, text := range map[string]string{"again": again, "disable": disable, "echo": echo, "promote": promote} {
		write(t, filepath.Join(dir, "flows", "test", name+".yaml"), text)
	}
	return dir
}

const (
	// A session proves who its user is, so this opens one without the cost of
	// a password.
	again = `
about: Open another session for the caller.
endpoint: POST /test/again
session: required
steps:
  - id: more
    node: session.create
    with: {userId: $session.userId}
  - respond: 200
    body: {session: $more}
`
	disable = `
about: Disable the caller.
endpoint: POST /test/disable
session: required
steps:
  - node: user.update
    with: {userId: $session.userId, disabled: true}
  - respond: 204
`
	promote = `
about: Make the caller an administrator.
endpoint: POST /test/promote
session: required
steps:
  - node: session.update
    with: {userId: $session.userId, addGroups: [admin]}
  - respond: 204
`
	echo = `
about: Say what the request said.
endpoint: POST /test/echo/{part}
session: optional
input:
  path:
    part: {type: string}
  query:
    word: {type: string}
  body:
    text: {type: string}
steps:
  - respond: 200
    body: {part: $path.part, word: $query.word, text: $body.text, agent: $request.userAgent}
`
)

// write writes a file and makes the folders above it.
func write(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
