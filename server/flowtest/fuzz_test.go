package flowtest

import (
	"io/fs"
	"strings"
	"testing"

	"sluice/flows"
)

// Whatever stands in a test file, reading it ends, with tests or with problems
// that have a place in the file.
func FuzzRead(f *testing.F) {
	s, err := Load(flows.FS, Settings{Vars: []string{"KEY"}})
	if err != nil {
		f.Fatal(err)
	}
	err = fs.WalkDir(flows.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ending) {
			data, _ := fs.ReadFile(flows.FS, name) // it was read before
			f.Add(data)
		}
		return err
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("- {name: x, each: [{a: 1}], send: {body: $case.a, raw: x}, same: [time], cases: [{}, {}], time: {runs: 0}}\n"))
	f.Add([]byte("- name: [x]\n  given: {users: {}, session: [], env: {KEY: 1}}\n  fake: {user: {}}\n  want: {body: {is: {}}, stored: {users: [[]]}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		const name = "auth/sign-in.test.yaml"
		read, problems := s.readFile(name, data)
		for _, p := range problems {
			if p.File != name || p.Line < 1 || p.Column < 1 || p.Message == "" {
				t.Errorf("reading %q tells %v, want a place in %s", data, p, name)
			}
		}
		if len(problems) > 0 {
			return
		}
		for _, one := range read.tests {
			if one.same == nil {
				if _, err := request(s.app.Flows[0], &one.send, names{}, ""); err != nil {
					t.Logf("a request that cannot be written: %v", err)
				}
			}
		}
	})
}
