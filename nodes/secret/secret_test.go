package secret

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// prefix is that of the secrets that the tests make.
const prefix = "sls_"

var sample = KindOf(prefix)

func TestNewSecretsAreUniqueAndUniform(t *testing.T) {
	const makers = 8
	each := 1_000_000 / makers
	if testing.Short() {
		each /= 25
	}
	form := regexp.MustCompile(`^sls_[A-Za-z0-9]{43}$`)
	made := make([][]string, makers)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			for range each {
				token, hash := sample.New()
				if h, ok := sample.Hash(token); !ok || h != hash || !form.MatchString(token) {
					t.Errorf("Hash(%q) = %x, %t, want %x, true", token, h, ok, hash)
					return
				}
				made[i] = append(made[i], token)
			}
		})
	}
	wg.Wait()
	n := makers * each
	seen := make(map[string]bool, n)
	var counts [digitLen][128]int
	for _, token := range slices.Concat(made...) {
		seen[token] = true
		for i := range digitLen {
			counts[i][token[len(prefix)+i]]++
		}
	}
	if len(seen) != n {
		t.Errorf("%d tokens are %d different ones, want all", n, len(seen))
	}
	// Chi-squared of 61 degrees of freedom is above 150 once in 10^9 times.
	want := float64(n) / float64(len(digits))
	for i := range counts {
		chi2 := 0.0
		for _, c := range []byte(digits) {
			chi2 += math.Pow(float64(counts[i][c])-want, 2) / want
		}
		if chi2 > 150 {
			t.Errorf("chi-squared of digit %d = %.0f, want at most 150", i, chi2)
		}
	}
}

func TestHashRefusesWhatIsNoSecret(t *testing.T) {
	token, hash := sample.New()
	other := token[:len(token)-1] + "a"
	if other == token {
		other = token[:len(token)-1] + "b"
	}
	if h, ok := sample.Hash(other); !ok || h == hash {
		t.Errorf("Hash(another secret) = %x, %t, want another hash", h, ok)
	}
	for name, in := range map[string]string{
		"empty":              "",
		"prefix":             prefix,
		"without the prefix": token[len(prefix):],
		"other prefix":       "sls-" + token[len(prefix):],
		"upper prefix":       "SLS_" + token[len(prefix):],
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
		"1 MiB":              prefix + strings.Repeat("a", 1<<20),
	} {
		if h, ok := sample.Hash(in); ok || h != (Hash{}) {
			t.Errorf("Hash(%s) = %x, %t, want zero, false", name, h, ok)
		}
	}
}

func FuzzHash(f *testing.F) {
	token, _ := sample.New()
	f.Add(token)
	f.Add(token[:46] + "é")
	f.Add("sls_")
	form := regexp.MustCompile(`\Asls_[A-Za-z0-9]{43}\z`)
	f.Fuzz(func(t *testing.T, in string) {
		h, ok := sample.Hash(in)
		if ok != form.MatchString(in) || ok == (h == Hash{}) {
			t.Errorf("Hash(%q) = %x, %t, want ok %t", in, h, ok, form.MatchString(in))
		}
	})
}

func BenchmarkHash(b *testing.B) {
	token, _ := sample.New()
	b.ReportAllocs()
	for b.Loop() {
		sample.Hash(token)
	}
}
