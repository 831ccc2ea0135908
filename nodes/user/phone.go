package user

import (
	"errors"
	"strings"
)

// ErrNoNumber says that a text cannot be a phone number.
var ErrNoNumber = errors.New("not a phone number")

// Limits of E.164 in digits, with the country code. The shortest numbers that
// countries give to mobiles have eight.
const (
	minNumber  = 8
	maxNumber  = 15
	maxWritten = 40 // bytes of a number with what people put between its digits
)

// PhoneNumber reads a phone number with its country code and returns it in the
// form E.164, as in +14155550100: in this form numbers are kept, shown and
// compared. PhoneNumber of a number in it is the number.
//
// Blanks, hyphens, dots, slashes and brackets between the digits are dropped,
// but for (0), which some write between the country code and the rest: it is not
// dialled, and whoever means it otherwise means another number.
//
// Whether a country has given a number to somebody is not looked up. The tables
// for that are megabytes that age in the binary and refuse numbers that are newer
// than they; a code that was sent to the number shows it better.
func PhoneNumber(text string) (string, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(text), "+")
	if !ok || len(text) > maxWritten || strings.Contains(rest, "(0)") {
		return "", ErrNoNumber
	}
	number := []byte{'+'}
	for _, r := range rest {
		switch {
		case r >= '0' && r <= '9':
			number = append(number, byte(r))
		case !strings.ContainsRune(" -./()\u00a0\u2011", r): // with a blank and a hyphen at which no line breaks
			return "", ErrNoNumber
		}
	}
	if n := len(number) - 1; n < minNumber || n > maxNumber || number[1] == '0' {
		return "", ErrNoNumber
	}
	return string(number), nil
}
