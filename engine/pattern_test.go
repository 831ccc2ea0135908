package engine

import (
	"regexp"
	"testing"
)

func TestPatternsHaveSamples(t *testing.T) {
	for _, pattern := range []string{
		`^[A-Z0-9-]{3,20}$`, `^\+[1-9]\d{6,14}$`, `^(draft|live)$`, `^a?b+c*$`, `(?i)^[^a-z]x$`, `^\p{Greek}+$`, `[[:punct:]]`, `^\S+@\S+$`, ``,
	} {
		re := regexp.MustCompile(pattern)
		if s := patternSample(re); !re.MatchString(s) {
			t.Errorf("sample of %s is %q, which it does not match", pattern, s)
		}
	}
	if s := patternSample(regexp.MustCompile(`^a\bb$`)); s != "" {
		t.Errorf("sample of what nothing matches is %q, want none", s)
	}
}
