package user_test

import (
	"strings"
	"testing"

	"sluice/nodes/user"
)

func TestPhoneNumberHasOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"+14155550100":              "+14155550100",
		" +1 (415) 555-0100 ":       "+14155550100",
		"+1.415.555.0100":           "+14155550100",
		"+49 171/123 45 67":         "+491711234567",
		"+1\u00a0415\u2011555 0100": "+14155550100",
		"+29012345":                 "+29012345",
		"+123456789012345":          "+123456789012345",
	} {
		if got, err := user.PhoneNumber(in); err != nil || got != want {
			t.Errorf("PhoneNumber(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestWhatIsNoPhoneNumberIsRefused(t *testing.T) {
	for _, in := range []string{
		"", "+", "14155550100", "0014155550100", "+04155550100", "+1234567", "+1234567890123456", "++14155550100", "+1+4155550100",
		"+49 (0) 171 1234567", "+49 (0)171 1234567", "+1415555o100", "+1415555010\u0660", "\uff0b14155550100", "+1415555\x000100", "+1415555\n0100",
		"+14155550100;ext=1", "+14155550100,1", "ada@example.com", "+1" + strings.Repeat(" ", 40) + "4155550100", strings.Repeat("+1", 1<<20),
	} {
		if got, err := user.PhoneNumber(in); err == nil {
			t.Errorf("PhoneNumber(%.40q) = %q, want an error", in, got)
		}
	}
}

func FuzzPhoneNumber(f *testing.F) {
	f.Add("+1 (415) 555-0100")
	f.Add("+49 (0) 171")
	f.Fuzz(func(t *testing.T, text string) {
		number, err := user.PhoneNumber(text)
		if err != nil {
			return
		}
		if again, err := user.PhoneNumber(number); err != nil || again != number || len(number) > 16 {
			t.Errorf("PhoneNumber(%q) = %q, whose own is %q, %v", text, number, again, err)
		}
	})
}
