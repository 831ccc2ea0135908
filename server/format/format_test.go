package format_test

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"sluice/flows"
	"sluice/server/format"
)

func TestShippedFlowsAreFormatted(t *testing.T) {
	err := fs.WalkDir(flows.FS, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || path.Ext(file) != ".yaml" {
			return err
		}
		text, err := fs.ReadFile(flows.FS, file)
		if err != nil {
			return err
		}
		if got, err := format.Source(file, text); err != nil || !bytes.Equal(got, text) {
			t.Errorf("Source(%s) = %s, %v, want it as it is", file, got, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// section cuts a part out of a golden file: what stands behind -- name --.
func section(t *testing.T, text, name string) string {
	t.Helper()
	_, part, ok := strings.Cut(text, "-- "+name+" --\n")
	if !ok {
		t.Fatalf("there is no section %s", name)
	}
	part, _, _ = strings.Cut(part, "-- want --\n")
	return part
}

func TestSourceFormats(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want := section(t, string(data), "in"), section(t, string(data), "want")
			got, err := format.Source("x.yaml", []byte(in))
			if err != nil || string(got) != want {
				t.Errorf("Source() = \n%s, %v, want\n%s", got, err, want)
			}
			if again, err := format.Source("x.yaml", got); err != nil || !bytes.Equal(again, got) {
				t.Errorf("Source(Source()) = \n%s, %v, want\n%s", again, err, got)
			}
		})
	}
}

func TestSourceRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"no YAML":         {"a: b: c\n", "x.yaml:1:1: this is not YAML: mapping values are not allowed in this context"},
		"tab":             {"a: b\n\tc: d\n", "x.yaml:2:1: this is not YAML: found a tab character that violates indentation"},
		"alias":           {"a: &x b\nc: *x\n", "x.yaml:1:4: anchors (&name) cannot be used in flows (write the value out where it is used)"},
		"tag":             {"a: !x b\n", "x.yaml:1:4: tags (!name) cannot be used in flows (write the value out where it is used)"},
		"second document": {"a: b\n---\nc: d\n", "x.yaml:2:1: there is a second document behind --- (one file holds one flow)"},
		"explicit key":    {"? a\n: b\n", "x.yaml:1:3: this key cannot be formatted (write key: value)"},
		"next line":       {"a: b\u0085c: d\n", "x.yaml:1:5: lines end in more than one way (end lines with a line feed, or write the character as an escape in double quotes)"},
		"too large":       {strings.Repeat("#", 1<<20+1), "x.yaml:1:1: the file is larger than 1024 KiB (split it)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := format.Source("x.yaml", []byte(c.in)); err == nil || err.Error() != c.want {
				t.Errorf("Source(%q) = %s, %v, want %s", c.in, got, err, c.want)
			}
		})
	}
}

// Every flow that the engine's tests run can be formatted, and means the same.
func TestSourceTakesEveryFlowThatRuns(t *testing.T) {
	files, err := filepath.Glob("../../engine/testdata/runs/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("Glob() = %d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range strings.SplitSeq(string(data), "\n-- ") {
			name, body, _ := strings.Cut(part, " --\n")
			if !strings.HasSuffix(name, ".yaml") {
				continue
			}
			if _, err := format.Source(name, []byte(body)); err != nil {
				t.Errorf("Source(%s in %s) = %v, want nil", name, file, err)
			}
		}
	}
}

func FuzzSource(f *testing.F) {
	for _, pattern := range []string{"testdata/*.txtar", "../../engine/testdata/*/*.txtar", "../../flows/*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			for part := range strings.SplitSeq(string(data), "\n-- ") {
				_, body, ok := strings.Cut(part, " --\n")
				if !ok {
					body = part
				}
				f.Add([]byte(body))
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		once, err := format.Source("x.yaml", in)
		if err != nil {
			return
		}
		twice, err := format.Source("x.yaml", once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("Source(%q) = %q, and again %q, %v, want the same", in, once, twice, err)
		}
	})
}
