package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// requirements is how many there are.
const requirements = 64

// The table of requirements in README.md has every number once, in order, and
// each row names tests that are there.
func TestRequirementsHaveTheirTests(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	row, named := regexp.MustCompile(`^\| (\d+) \|`), regexp.MustCompile("`(?:([a-z0-9/]+) )?(Test\\w+)`")
	next := 1
	for line := range strings.Lines(string(text)) {
		found := row.FindStringSubmatch(line)
		if found == nil || strings.Count(line, "|") != 5 {
			continue
		}
		if n, _ := strconv.Atoi(found[1]); n != next {
			t.Errorf("requirement %d stands where %d belongs", n, next)
		}
		tests := named.FindAllStringSubmatch(line, -1)
		if len(tests) == 0 {
			t.Errorf("requirement %d names no test", next)
		}
		for _, test := range tests {
			folder := "server/e2e"
			if test[1] != "" {
				folder = test[1]
			}
			if !hasTest(t, filepath.Join("../..", folder), test[2]) {
				t.Errorf("requirement %d names %s, which is not in %s", next, test[2], folder)
			}
		}
		next++
	}
	if next != requirements+1 {
		t.Errorf("the table ends at %d, want %d", next-1, requirements)
	}
}

// hasTest tells whether a folder's tests have one of a name.
func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "\nfunc "+name+"(t ") {
			return true
		}
	}
	return false
}
