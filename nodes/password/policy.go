package password

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Lengths of passwords, in code points after NFC.
const (
	leastLength   = 6  // that MinLength can be set to: for applications that come from elsewhere
	mostMinLength = 64 // that MinLength can be set to: longer ones must stay allowed
	maxLength     = 1024
)

// tooLong tells, before any work is done with it, that a password has more
// bytes than any allowed one.
func tooLong(password string) bool { return len(password) > maxLength*utf8.UTFMax }

// weakness says in a sentence why a new password is refused, or "". The words
// are what an attacker knows of the user.
func (h *Hasher) weakness(password string, words []string) string {
	tooMany := fmt.Sprintf("The password must have at most %d characters.", maxLength)
	if tooLong(password) {
		return tooMany
	}
	if !utf8.ValidString(password) {
		return "The password holds bytes that are no text."
	}
	password = norm.NFC.String(password)
	n, least := utf8.RuneCountInString(password), h.settings.MinLength
	switch {
	case n > maxLength:
		return tooMany
	case n < least:
		return fmt.Sprintf("The password must have at least %d characters; this one has %d.", least, n)
	}
	folded := []rune(cases.Fold().String(password))
	switch {
	case known(string(folded), slices.Concat(words, []string{"sluice"})):
		return "The password must not be your name, your address or the name of this service."
	case repeats(folded):
		return "The password repeats a few characters; mix more of them."
	case surprises(folded) < leastSurprises:
		return "The password follows the keyboard, the alphabet or the digits; choose words or characters that have no order."
	case h.isLeaked(string(folded)) || h.isCommon(string(folded)):
		return "The password is made of what many people use; add words of your own."
	}
	return ""
}

// known tells whether a folded password is one of the words, or one repeated.
func known(password string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		word = cases.Fold().String(norm.NFC.String(word))
		return word != "" && len(password)%len(word) == 0 && strings.Repeat(word, len(password)/len(word)) == password
	})
}

// repeats tells whether a password is up to eight characters over and over,
// the last time perhaps not to their end.
func repeats(password []rune) bool {
	for period := 1; period <= 8 && 2*period <= len(password); period++ {
		if slices.Equal(password[period:], password[:len(password)-period]) {
			return true
		}
	}
	return false
}

// lines are orders of characters that fingers and children know. Each is also
// known backwards.
var lines = [...]string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890",
	"qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
	"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "1q2w3e4r5t6y7u8i9o0p", "!@#$%^&*()", "йцукенгшщзхъфывапролджэячсмитьбю",
}

// leastSurprises is how many characters of a password must not follow from the
// one before.
const leastSurprises = 5

// surprises counts the characters that are neither the same as the one before
// nor next to it on a line.
func surprises(password []rune) int {
	n := 0
	for i, r := range password {
		if i == 0 || r != password[i-1] && !adjacent(password[i-1], r) {
			n++
		}
	}
	return n
}

func adjacent(a, b rune) bool {
	there, back := string([]rune{a, b}), string([]rune{b, a})
	return slices.ContainsFunc(lines[:], func(line string) bool {
		return strings.Contains(line, there) || strings.Contains(line, back)
	})
}

// commonText holds what common passwords are made of, a word or phrase a line.
//
//go:embed common.txt
var commonText string

// readCommon returns the words and phrases of commonText, their letters only.
func readCommon() map[string]bool {
	words := map[string]bool{}
	for line := range strings.Lines(commonText) {
		if !strings.HasPrefix(line, "#") {
			words[letters(line)] = true
		}
	}
	delete(words, "")
	return words
}

// leakedText holds whole passwords that many people were found to use, behind an
// empty line a line each, folded and in order.
//
//go:embed leaked.txt
var leakedText string

func readLeaked() []string {
	_, list, _ := strings.Cut(leakedText, "\n\n")
	return strings.Split(strings.TrimSuffix(list, "\n"), "\n")
}

// isLeaked tells whether a folded password is one that many people were found to
// use, or one of those with digits and signs around it.
func (h *Hasher) isLeaked(password string) bool {
	bare := strings.TrimFunc(password, func(r rune) bool { return !unicode.IsLetter(r) })
	_, whole := slices.BinarySearch(h.leaked, password)
	_, inside := slices.BinarySearch(h.leaked, bare)
	return whole || inside
}

// letters leaves of a folded text its letters.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

// isCommon tells whether a folded password is nothing but common words with
// digits and signs around, between or in place of letters: one phrase, or up to
// three words.
func (h *Hasher) isCommon(password string) bool {
	plain := strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i", "|", "l")
	bare := strings.TrimFunc(password, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, text := range []string{bare, plain.Replace(bare), plain.Replace(password)} {
		if h.joined(letters(text), 3) {
			return true
		}
	}
	return false
}

// joined tells whether a text is made of at most n common words.
func (h *Hasher) joined(text string, n int) bool {
	if h.common[text] {
		return true
	}
	for end := range text {
		if n > 1 && h.common[text[:end]] && h.joined(text[end:], n-1) {
			return true
		}
	}
	return false
}
