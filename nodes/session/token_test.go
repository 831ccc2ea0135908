package session

import (
	"math"
	"regexp"
	"strings"
	"testing"
)

func TestNewToken(t *testing.T) {
	form := regexp.MustCompile(`^sls_[A-Za-z0-9]{43}$`)
	const n = 30_000
	seen := make(map[string]bool, n)
	var counts [tokenLen][128]int
	for range n {
		token, hash := NewToken()
		if h, ok := HashOf(token); !ok || h != hash || !form.MatchString(token) {
			t.Fatalf("HashOf(%q) = %x, %t, want %x, true", token, h, ok, hash)
		}
		seen[token] = true
		for i := range tokenLen {
			counts[i][token[len(tokenPrefix)+i]]++
		}
	}
	if len(seen) != n {
		t.Errorf("%d tokens are %d different ones, want all", n, len(seen))
	}
	// Chi-squared of 61 degrees of freedom is above 150 once in 10^9 times.
	want := float64(n) / float64(len(tokenDigits))
	for i := range counts {
		chi2 := 0.0
		for _, c := range []byte(tokenDigits) {
			chi2 += math.Pow(float64(counts[i][c])-want, 2) / want
		}
		if chi2 > 150 {
			t.Errorf("chi-squared of digit %d = %.0f, want at most 150", i, chi2)
		}
	}
}

func TestHashOfRefusesWhatIsNoToken(t *testing.T) {
	token, hash := NewToken()
	other := token[:len(token)-1] + "a"
	if other == token {
		other = token[:len(token)-1] + "b"
	}
	if h, ok := HashOf(other); !ok || h == hash {
		t.Errorf("HashOf(another token) = %x, %t, want another hash", h, ok)
	}
	for name, in := range map[string]string{
		"empty":              "",
		"prefix":             tokenPrefix,
		"without the prefix": token[len(tokenPrefix):],
		"other prefix":       "sls-" + token[len(tokenPrefix):],
		"upper prefix":       "SLS_" + token[len(tokenPrefix):],
		"short":              token[:len(token)-1],
		"long":               token + "a",
		"space in front":     " " + token,
		"line end":           token + "\n",
		"other alphabet":     token[:len(token)-1] + "-",
		"underscore":         token[:len(token)-1] + "_",
		"NUL":                token[:len(token)-1] + "\x00",
		"beyond ASCII":       token[:len(token)-2] + "é",
		"public id":          "01920000-0000-7000-8000-000000000000",
		"hash":               strings.Repeat("0123456789abcdef", 4),
		"1 MiB":              tokenPrefix + strings.Repeat("a", 1<<20),
	} {
		if h, ok := HashOf(in); ok || h != (Hash{}) {
			t.Errorf("HashOf(%s) = %x, %t, want zero, false", name, h, ok)
		}
	}
}

func FuzzHashOf(f *testing.F) {
	token, _ := NewToken()
	f.Add(token)
	f.Add(token[:46] + "é")
	f.Add("sls_")
	form := regexp.MustCompile(`\Asls_[A-Za-z0-9]{43}\z`)
	f.Fuzz(func(t *testing.T, in string) {
		h, ok := HashOf(in)
		if ok != form.MatchString(in) || ok == (h == Hash{}) {
			t.Errorf("HashOf(%q) = %x, %t, want ok %t", in, h, ok, form.MatchString(in))
		}
	})
}

func BenchmarkHashOf(b *testing.B) {
	token, _ := NewToken()
	b.ReportAllocs()
	for b.Loop() {
		HashOf(token)
	}
}
