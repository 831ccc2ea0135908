package password

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"sluice/nodes/user"
)

func TestWeakness(t *testing.T) {
	const (
		short    = "The password must have at least 15 characters"
		long     = "The password must have at most 1024 characters."
		known    = "The password must not be your name"
		repeated = "The password repeats"
		ordered  = "The password follows"
		common   = "The password is made of what many people use"
	)
	words := []string{"LongLongName@Example.com", "longlongname@example.com", "LongLongName", "Grace Brewster Hopper", "grace hopper@navy.mil", ""}
	h := Quick(Settings{})
	for in, want := range map[string]string{
		phrase:                     "",
		"vxq7 lamp Orchid 9":       "",
		"I planted 3 odd radishes": "",
		"žluťoučký kůň úpěl":       "",
		"密码需要十五个字符才能通过检查的":                           "",
		strings.Repeat("väl1d ", 170):                repeated,
		"k9#Vd2!pQz7@Lm4":                            "",
		"839204716582930":                            "", // digits without order
		"":                                           short + "; this one has 0.",
		"abcdefghij1234":                             short + "; this one has 14.",
		strings.Repeat("🔑", 7):                       short + "; this one has 7.",
		strings.Repeat("a", 1025):                    long,
		strings.Repeat("a", 1<<20):                   long,
		strings.Repeat("ä", 1025):                    long,
		"longlongname@example.com":                   known,
		"LONGLONGNAME@EXAMPLE.COM":                   known,
		"longlongnamelonglongname":                   known,
		"grace brewster hopper":                      known,
		"sluicesluicesluice":                         known,
		"SluiceSluiceSluice":                         known,
		"aaaaaaaaaaaaaaaa":                           repeated,
		"abcabcabcabcabcab":                          repeated,
		"Xk9!qwLpXk9!qwLp":                           repeated,
		"qwertyuiopasdfgh":                           ordered,
		"QWERTZUIOPASDFGH":                           ordered,
		"123456789012345":                            ordered,
		"987654321098765":                            ordered,
		"abcdefghijklmnop":                           ordered,
		"zyxwvutsrqponmlk":                           ordered,
		"1qaz2wsx3edc4rfv":                           ordered,
		"1q2w3e4r5t6y7u8i":                           ordered,
		"aaaaaaaabbbbbbbbcccc":                       ordered,
		"qwertyuiop1234567890":                       ordered,
		"йцукенгшщзхъфыва":                           ordered,
		"Password1234567":                            common,
		"PasswordPassword1":                          common,
		"P@ssw0rdP@ssw0rd!":                          common,
		"my password is password":                    common,
		"iloveyouforever":                            common,
		"ILoveYou4Ever!!!":                           "",
		"To be, or not to be: that is the question.": common,
		"MayTheForceBeWithYou!":                      common,
		"football-baseball-2024":                     common,
		"!!!sunshine&&monkey!!!":                     common,
		"supercalifragilisticexpialidocious":         common,
		"administrator123":                           common,
		"administrator 2024!":                        common,
		"polniypizdec0211":                           common,
		"Mailcreated5240":                            common,
		"~~2023 Fernando 2024~~":                     common,
		"bad bytes \xff in a password":               "The password holds bytes that are no text.",
	} {
		got := h.weakness(in, words)
		if want == "" && got != "" || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("weakness(%.40q) = %q, want %q", in, got, want)
		}
	}
}

// R44 asks for 3,000 at the least. Where 15 characters are asked for, the
// common words make them; where 8 are enough, there are more in the list alone.
func TestCommonPasswordsAreRefused(t *testing.T) {
	long, short := Quick(Settings{}), Quick(Settings{MinLength: 8})
	n := 0
	for _, in := range short.leaked {
		if len(in) < 8 {
			continue
		}
		n++
		if short.weakness(in, nil) == "" || short.weakness(strings.ToUpper(in), nil) == "" {
			t.Errorf("weakness(%q) = none, want one", in)
		}
	}
	for first := range long.common {
		for second := range long.common {
			in := first + second
			if n == 40_000 || utf8.RuneCountInString(in) < 15 {
				continue
			}
			n++
			if long.weakness(in, nil) == "" {
				t.Errorf("weakness(%q) = none, want one", in)
			}
		}
	}
	if n != 40_000 {
		t.Errorf("%d passwords were tried, want 40,000", n)
	}
	if !slices.IsSorted(long.leaked) {
		t.Error("leaked.txt is not in order")
	}
}

// TestWeaknessCountsWhatIsHashed is about code points after normalisation.
func TestWeaknessCountsWhatIsHashed(t *testing.T) {
	h := Quick(Settings{})
	const fourteen, fifteen = "cafe\u0301 mo\u0308bel xyz", "cafe\u0301 mo\u0308bel xyz!"
	if got, want := h.weakness(fourteen, nil), "The password must have at least 15 characters; this one has 14."; got != want {
		t.Errorf("weakness(%q) = %q, want %q", fourteen, got, want)
	}
	if got := h.weakness(fifteen, nil); got != "" {
		t.Errorf("weakness(%q) = %q, want none", fifteen, got)
	}
	if got := Quick(Settings{MinLength: 8}).weakness("vxq7 lam", nil); got != "" {
		t.Errorf("weakness of 8 characters where 8 are enough = %q, want none", got)
	}
}

func TestTheLongestPasswordIsTaken(t *testing.T) {
	h := Quick(Settings{})
	var b strings.Builder
	for i := range rune(1024) {
		b.WriteRune('\U00020000' + i*7)
	}
	if got := h.weakness(b.String(), nil); got != "" {
		t.Errorf("weakness(1024 characters of 4 bytes) = %q, want none", got)
	}
	if got := h.weakness(b.String()+"x", nil); got == "" {
		t.Errorf("weakness(1025 characters) = none, want one")
	}
}

func TestWeakPasswordsCostNoHash(t *testing.T) {
	h := Quick(Settings{Parallel: 1})
	hold(t, h)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, in := range []string{"short", strings.Repeat("a", 1<<20), "sluicesluicesluice"} {
		if _, err := h.New(ctx, in); !errors.Is(err, user.WeakPassword) {
			t.Errorf("New(%.20q) = %v, want %v without a hash", in, err, user.WeakPassword)
		}
	}
	if ok, _, err := h.Check(ctx, "", strings.Repeat("a", 1<<20)); ok || err != nil {
		t.Errorf("Check(1 MiB) = %t, %v, want false, nil without a hash", ok, err)
	}
}

func FuzzWeakness(f *testing.F) {
	for _, seed := range []string{"", phrase, "P@ssw0rdP@ssw0rd!", "ﬃİ\u0301\u0345", "\xff", strings.Repeat("\u0301", 100)} {
		f.Add(seed, "word")
	}
	h := Quick(Settings{})
	f.Fuzz(func(t *testing.T, in, word string) {
		first := h.weakness(in, []string{word})
		if again := h.weakness(in, []string{word}); again != first {
			t.Errorf("weakness(%q) = %q, then %q, want the same", in, first, again)
		}
		if first == "" && h.weakness(in, []string{word, in}) == "" {
			t.Errorf("weakness(%q) with the password as a word = none, want one", in)
		}
	})
}
