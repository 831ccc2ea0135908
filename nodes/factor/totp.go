package factor

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// What all programs on phones can do: SHA-1, six digits, half a minute. SHA-1 is
// no weakness here, as nothing depends on collisions.
const (
	period     = 30 // seconds
	digits     = 6
	secretSize = 20 // bytes
	skew       = 1  // steps before and behind the present whose codes are good
)

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// newSecret returns a secret that was never there before.
func newSecret() []byte {
	b := make([]byte, secretSize)
	rand.Read(b) // never fails
	return b
}

// Step returns the number of the step that a time is in.
func Step(now time.Time) int64 { return now.Unix() / period }

// Digits returns the code of a step, as RFC 6238 and RFC 4226 have it.
func Digits(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%0*d", digits, binary.BigEndian.Uint32(sum[at:])&(1<<31-1)%1_000_000)
}

// stepOf returns the step near a time whose code is given, and false where there
// is none. It takes the same time wherever the code is found.
func stepOf(secret []byte, code string, now time.Time) (step int64, ok bool) {
	code = strings.ReplaceAll(code, " ", "")
	for s := Step(now) - skew; s <= Step(now)+skew; s++ {
		if subtle.ConstantTimeCompare([]byte(Digits(secret, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// uri is what programs on phones read from a QR code.
func uri(secret []byte, issuer, account string) string {
	issuer, account = escaped(issuer), escaped(account)
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s&algorithm=SHA1&digits=%d&period=%d",
		issuer, account, letters.EncodeToString(secret), issuer, digits, period)
}

// escaped is a text in a part of the URI. A space is no +, which some programs
// show, and a colon has a meaning there.
func escaped(s string) string {
	return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(s, ":", " ")), "+", "%20")
}
