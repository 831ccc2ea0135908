package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// repository makes a git repository of some files, with one commit.
func repository(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir = t.TempDir()
	write(t, dir, files)
	runGit(t, dir, "init", "-q", "-b", "main")
	commit(t, dir)
	return dir
}

func commit(t *testing.T, dir string) {
	t.Helper()
	runGit(t, dir, "add", "-A")
	runGit(t, dir, "commit", "-q", "-m", "x")
}

func runGit(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = dir
	// In a hook of git, its variables would lead to another repository.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GIT_") })
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
}

const fetchUser = "  - node: user.fetch\n    with: {id: x}\n"

func TestDiffTellsBehaviourAndNotText(t *testing.T) {
	member := strings.Replace(hello("/a"), "session: none", "session: required\ngroups: [staff]", 1)
	for name, c := range map[string]struct {
		old, now map[string]string // files of the folder flows
		code     int
		want     string
	}{
		"comments and order": {
			old: map[string]string{"a.yaml": hello("/a")}, now: map[string]string{"b/a.yaml": "# Moved.\n" + hello("/a")},
			want: "no change of behaviour since main\n",
		},
		"wider": {
			old: map[string]string{"a.yaml": member}, now: map[string]string{"a.yaml": strings.Replace(member, "[staff]", "[staff, guest]", 1)}, code: 1,
			want: "GET /a\n  ! groups staff -> guest, staff\n1 change since main, 1 permits more (!)\n",
		},
		"narrower": {
			old: map[string]string{"a.yaml": hello("/a")}, now: map[string]string{"a.yaml": member},
			want: "GET /a\n    session none -> required\n    groups any -> staff\n2 changes since main, none permits more\n",
		},
		"endpoints": {
			old: map[string]string{"a.yaml": hello("/a"), "b.yaml": hello("/b")}, now: map[string]string{"a.yaml": hello("/a"), "c.yaml": hello("/c")}, code: 1,
			want: "GET /c\n  ! new endpoint for everybody\nGET /b\n    no longer there\n2 changes since main, 1 permits more (!)\n",
		},
		"what is done and answered": {
			old: map[string]string{"a.yaml": hello("/a")}, now: map[string]string{"a.yaml": strings.Replace(hello("/a"), "steps:\n", "steps:\n"+fetchUser, 1)}, code: 1,
			want: "GET /a\n  ! now reads users\n    new answer 404 notFound\n2 changes since main, 1 permits more (!)\n",
		},
		"no flows before": {
			old: map[string]string{"../other.txt": ""}, now: map[string]string{"a.yaml": hello("/a")}, code: 1,
			want: "GET /a\n  ! new endpoint for everybody\n1 change since main, 1 permits more (!)\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			under := func(files map[string]string) map[string]string {
				all := map[string]string{}
				for file, text := range files {
					all["flows/"+file] = text
				}
				return all
			}
			dir := repository(t, under(c.old))
			if err := os.RemoveAll(filepath.Join(dir, "flows")); err != nil {
				t.Fatal(err)
			}
			write(t, dir, under(c.now))
			expect(t, dir, "diff main", c.code, c.want)
		})
	}
}

func TestDiffListsChangesAsJSON(t *testing.T) {
	dir := repository(t, map[string]string{"shop/flows/a.yaml": strings.Replace(hello("/a"), "none", "required", 1)})
	write(t, dir, map[string]string{"shop/flows/a.yaml": hello("/a"), "shop/flows/old.yaml": hello("/old")})
	commit(t, dir)
	if err := os.Remove(filepath.Join(dir, "shop", "flows", "old.yaml")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, "diff --json HEAD shop/flows", 0, `[
  {
    "endpoint": "GET /old",
    "what": "endpoint",
    "change": "no longer there",
    "wider": false
  }
]
`)
	expect(t, dir, "diff --json HEAD~1 shop/flows", 1, `[
  {
    "endpoint": "GET /a",
    "what": "session",
    "change": "session required -> none",
    "wider": true,
    "file": "DIR/shop/flows/a.yaml",
    "line": 3,
    "column": 10
  }
]
`)
}

func TestDiffSaysWhyItCannotCompare(t *testing.T) {
	dir := repository(t, map[string]string{"flows/a.yaml": strings.Replace(hello("/a"), "steps:\n", "steps:\n  - node: user.fetsh\n", 1)})
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	expect(t, dir, "diff", 2, "sluice: diff wants a revision, as in sluice diff main\nsluice help diff says more.\n")
	expect(t, dir, "diff mian", 2, "sluice: there is no revision \"mian\" in git\nsluice help diff says more.\n")
	expect(t, dir, "diff main nowhere", 1, "sluice: there is no folder DIR/nowhere to load flows from\n")
	expect(t, dir, "diff main", 1, "the flows at main do not load with the nodes of this program:\nmain:a.yaml:5:11: there is no node \"user.fetsh\" (did you mean user.fetch?)\n")

	write(t, dir, map[string]string{"flows/a.yaml": hello("a")})
	expect(t, dir, "diff main", 1, "DIR/flows/a.yaml:2:15: a path begins with a slash (write /a)\n")

	expect(t, t.TempDir(), "diff main", 1, "sluice: there is no folder flows here to compare\n")
}

func TestDiffNeedsARepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"flows/a.yaml": hello("/a")})
	want := "sluice: looking for the git repository of DIR/flows: git says "
	if code, got := in(t, dir, "diff main"); code != 1 || !strings.HasPrefix(got, want) {
		t.Errorf("sluice diff main = %d\n%s\nwant 1 and %s", code, got, want)
	}
	t.Setenv("PATH", t.TempDir())
	expect(t, dir, "diff main", 1, "sluice: diff needs git, which is not installed here\n")
}
