package user

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// ErrNoAddress says that a text cannot be an e-mail address.
var ErrNoAddress = errors.New("not an e-mail address")

// Limits of RFC 5321, in bytes.
const (
	maxAddress = 254
	maxLocal   = 64
	maxDomain  = 253
	maxLabel   = 63
)

// EmailKey reads an e-mail address. It returns the address to show and to write
// to, which is the given one in Unicode's form NFKC, and the key by which
// addresses are compared: two addresses with one key belong to one user.
//
// The key folds case and width in the whole address and has the domain in its
// ASCII form. Quoted local parts, IP addresses for a domain and domains without
// a dot are refused, as is all that cannot be seen: controls, spaces, bidi
// marks, zero-width and other ignorable characters. EmailKey of a key is the key.
func EmailKey(address string) (display, key string, err error) {
	if len(address) > maxAddress || !utf8.ValidString(address) || strings.ContainsFunc(address, unseen) {
		return "", "", ErrNoAddress
	}
	display = norm.NFKC.String(address)
	local, domain, ok := strings.Cut(display, "@")
	if !ok || strings.Contains(domain, "@") {
		return "", "", ErrNoAddress
	}
	if local, err = localKey(local); err != nil {
		return "", "", err
	}
	if domain, err = domainKey(domain); err != nil {
		return "", "", err
	}
	key = local + "@" + domain
	if len(display) > maxAddress || len(key) > maxAddress {
		return "", "", ErrNoAddress
	}
	return display, key, nil
}

// localKey folds what stands before the @.
func localKey(local string) (string, error) {
	// Fold swaps the two cases of Cherokee, so that only ToLower makes them one.
	folded := norm.NFKC.String(strings.ToLower(cases.Fold().String(local)))
	if !dotAtom(local) || !dotAtom(folded) {
		return "", ErrNoAddress
	}
	return folded, nil
}

// dotAtom tells whether a text can be a local part without quotes: words of
// RFC 5322's atext, or letters, digits and marks of any script, with single
// dots between them.
func dotAtom(s string) bool {
	if s == "" || len(s) > maxLocal {
		return false
	}
	for word := range strings.SplitSeq(s, ".") {
		if word == "" {
			return false
		}
		for i, r := range word {
			if !atext(r) || i == 0 && unicode.IsMark(r) {
				return false
			}
		}
	}
	return true
}

func atext(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return true
	case r < utf8.RuneSelf:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd) && !unseen(r)
}

// domainKey gives a domain in the form in which it is looked up: lower-case ASCII.
func domainKey(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoAddress, err)
	}
	ascii = strings.ToLower(ascii)
	labels := strings.Split(ascii, ".")
	if len(labels) < 2 || len(ascii) > maxDomain {
		return "", ErrNoAddress
	}
	for _, l := range labels {
		if l == "" || len(l) > maxLabel {
			return "", ErrNoAddress
		}
	}
	if top := labels[len(labels)-1]; strings.Trim(top, "0123456789") == "" {
		return "", ErrNoAddress // an IPv4 address
	}
	return ascii, nil
}

// unseen tells the characters that a reader of an address would not see, or
// that change how the ones around them are shown.
func unseen(r rune) bool {
	return unicode.IsControl(r) || unicode.IsSpace(r) ||
		unicode.In(r, unicode.Cf, unicode.Zs, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point)
}
