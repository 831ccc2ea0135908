package format_test

import (
	"strings"
	"testing"

	"sluice/server/format"
)

func TestDiffShowsWhatChanged(t *testing.T) {
	lines := strings.Repeat("same\n", 10)
	for name, c := range map[string]struct{ before, after, want string }{
		"nothing": {"a\nb\n", "a\nb\n", ""},
		"a line": {"a\nb \nc\n", "a\nb\nc\n", `--- x.yaml
+++ x.yaml, formatted
@@ -1,3 +1,3 @@
 a
-b 
+b
 c
`},
		"two places": {"a\n" + lines + "b\n\n\n", "A\n" + lines + "b\n", `--- x.yaml
+++ x.yaml, formatted
@@ -1,4 +1,4 @@
-a
+A
 same
 same
 same
@@ -10,5 +10,3 @@
 same
 same
 b
-
-
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := format.Diff("x.yaml", []byte(c.before), []byte(c.after)); got != c.want {
				t.Errorf("Diff(%q, %q) = \n%s, want\n%s", c.before, c.after, got, c.want)
			}
		})
	}
}
