package code_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"sluice/nodes/code"
)

func TestTokenSaysItsSlotAndItsHash(t *testing.T) {
	slot := code.SlotOf("reset", "ada")
	seen := map[string]bool{}
	for range 1000 {
		token, h := code.NewToken(slot, "reset")
		if len(token) != 68 || seen[token] {
			t.Fatalf("NewToken() = %s, want 68 characters that were not there before", token)
		}
		seen[token] = true
		gotSlot, got, ok := code.ReadToken(token, "reset")
		if !ok || gotSlot != slot || got != h {
			t.Fatalf("ReadToken(%s) = %x, %x, %t, want %x, %x, true", token, gotSlot, got, ok, slot, h)
		}
		if _, other, _ := code.ReadToken(token, "verify"); other == h {
			t.Fatal("a token has the same hash for two purposes")
		}
	}
}

func TestWhatIsNoTokenIsNotRead(t *testing.T) {
	token, _ := code.NewToken(code.Slot{}, "x")
	for _, text := range []string{
		"", "slc_", "sls" + token[3:], token[:67], token + "A", token[:67] + "=", token[:67] + "+", token[:60] + "\n" + token[60:67], " " + token,
		strings.ToUpper(token), token[4:], "slc_" + strings.Repeat("é", 32),
	} {
		if _, _, ok := code.ReadToken(text, "x"); ok {
			t.Errorf("ReadToken(%q) = true, want false", text)
		}
	}
}

func TestSlotsOfPurposesAndUsersDiffer(t *testing.T) {
	seen := map[code.Slot]string{}
	for _, of := range [][2]string{{"a", "b"}, {"a", "c"}, {"b", "b"}, {"ab", ""}, {"", "ab"}, {"a\x00b", ""}, {"a", "\x00b"}} {
		slot := code.SlotOf(of[0], of[1])
		if other := seen[slot]; other != "" {
			t.Errorf("SlotOf(%q) is that of %q", of, other)
		}
		seen[slot] = of[0] + "|" + of[1]
	}
}

func TestDigitsAreAllAsLikely(t *testing.T) {
	const n = 20_000
	var first, last [10]int
	for range n {
		d := code.NewDigits(6)
		if len(d) != 6 || strings.Trim(d, "0123456789") != "" {
			t.Fatalf("NewDigits(6) = %q, want six digits", d)
		}
		first[d[0]-'0']++
		last[d[5]-'0']++
	}
	for d := range 10 {
		// Ten standard deviations around a tenth.
		if min(first[d], last[d]) < n/10-430 || max(first[d], last[d]) > n/10+430 {
			t.Errorf("of %d codes %d begin and %d end with %d, want about %d", n, first[d], last[d], d, n/10)
		}
	}
}

func FuzzReadToken(f *testing.F) {
	token, _ := code.NewToken(code.SlotOf("x", "ada"), "x")
	f.Add(token)
	f.Add("slc_" + strings.Repeat("A", 64))
	f.Add("slc_")
	f.Fuzz(func(t *testing.T, text string) {
		slot, _, ok := code.ReadToken(text, "x")
		if !ok {
			return
		}
		// There is one spelling of each token.
		b, err := base64.RawURLEncoding.DecodeString(text[4:])
		if err != nil || "slc_"+base64.RawURLEncoding.EncodeToString(b) != text || code.Slot(b[:16]) != slot {
			t.Errorf("ReadToken(%q) = %x, want what stands in it", text, slot)
		}
	})
}
