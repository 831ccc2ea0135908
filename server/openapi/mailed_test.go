package openapi_test

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"sluice/nodes/factor"
	"sluice/nodes/mail"
)

// atOnce is a queue that waits for nothing.
type atOnce struct{}

func (atOnce) Add(job func(context.Context) error) bool { return job(context.Background()) == nil }

// mailStory is the story of what goes by mail and by a second factor. In a body CODE
// is that of the last mail, PENDING that of the last sign-in, RECOVERY a recovery
// code, and TOTP a code of the second factor that was not used yet.
func mailStory() []call {
	const (
		password = `"password": "a bridge over the river"`
		ada      = `{"email": "ada@example.com", ` + password + `}`
		countess = `{"email": "countess@example.com", ` + password + `}`
		code     = `{"code": "CODE"}`
	)
	return []call{
		{endpoint: "POST /auth/sign-in", body: ada, status: 200, keep: "fifth"},
		{endpoint: "POST /auth/verify-email", token: "fifth", status: 202},
		{endpoint: "POST /auth/verify-email", status: 401, code: "missing_session_token"},
		{endpoint: "POST /auth/verify-email/confirm", body: code, status: 200},
		{endpoint: "POST /auth/verify-email/confirm", body: code, status: 400, code: "invalid_code"},
		{endpoint: "POST /auth/magic-link", body: `{"email": "ada@example.com"}`, status: 202},
		{endpoint: "POST /auth/magic-link", body: `{"email": "ada"}`, status: 400, code: "invalid_input"},
		{endpoint: "POST /auth/magic-link/confirm", body: code, status: 200, keep: "sixth"},
		{endpoint: "POST /auth/magic-link/confirm", body: code, status: 400, code: "invalid_code"},
		{endpoint: "POST /auth/change-email", body: countess, token: "sixth", status: 202},
		{endpoint: "POST /auth/change-email", body: strings.Replace(countess, "bridge", "boat", 1), token: "sixth", status: 403, code: "wrong_password"},
		{endpoint: "POST /auth/change-email/confirm", body: code, status: 200},
		{endpoint: "POST /auth/change-email/confirm", body: code, status: 400, code: "invalid_code"},
		{endpoint: "POST /auth/second-factor", body: "{" + password + "}", token: "sixth", status: 200},
		{endpoint: "POST /auth/second-factor", body: `{"password": "wrong"}`, token: "sixth", status: 403, code: "wrong_password"},
		{endpoint: "POST /auth/second-factor/confirm", body: `{"code": "wrong"}`, token: "sixth", status: 401, code: "wrong_second_factor"},
		{endpoint: "POST /auth/second-factor/confirm", body: `{"code": "TOTP"}`, token: "sixth", status: 200},
		{endpoint: "POST /auth/sign-in", body: countess, status: 202},
		{endpoint: "POST /auth/sign-in/second-factor", body: `{"pending": "PENDING", "code": "wrong"}`, status: 401, code: "wrong_second_factor"},
		{endpoint: "POST /auth/sign-in/second-factor", body: `{"pending": "PENDING", "code": "TOTP"}`, status: 200, keep: "seventh"},
		{endpoint: "POST /auth/second-factor/remove", body: `{"code": "RECOVERY", "recovery": true, ` + password + `}`, token: "seventh", status: 204},
		{endpoint: "POST /auth/second-factor/remove", body: `{"code": "RECOVERY", "recovery": true, ` + password + `}`, token: "seventh", status: 401, code: "wrong_second_factor"},
		{endpoint: "POST /auth/reset-password", body: `{"email": "nobody@example.com"}`, status: 202},
		{endpoint: "POST /auth/reset-password", body: `{"email": "countess@example.com"}`, status: 202},
		{endpoint: "POST /auth/reset-password", body: `{}`, status: 400, code: "invalid_input"},
		{endpoint: "POST /auth/reset-password/confirm", body: `{"code": "CODE", "password": "a tunnel below the river"}`, status: 204},
		{endpoint: "POST /auth/reset-password/confirm", body: `{"code": "CODE", "password": "a tunnel below the river"}`, status: 400, code: "invalid_code"},
	}
}

var (
	codeOfMail = regexp.MustCompile(`\?code=(\S+)|^(\d{6}) is your code`)
	letters    = base32.StdEncoding.WithPadding(base32.NoPadding)
)

// A filler knows what answers and mails gave that later calls need.
type filler struct {
	box               *mail.Mailbox
	secret            []byte // of the second factor
	step              int64  // whose code was used last
	pending, recovery string
	access            string // of the last redirect
}

// follow takes the token out of a redirect to a page of the application.
func (f *filler) follow(location string) {
	if u, err := url.Parse(location); err == nil && u.Query().Has("access_token") {
		f.access = u.Query().Get("access_token")
	}
}

// note takes what is needed from an answer.
func (f *filler) note(t *testing.T, body []byte) {
	t.Helper()
	var told struct {
		Secret, Pending string
		RecoveryCodes   []struct{ Code string }
	}
	if len(body) == 0 {
		return
	}
	if err := json.Unmarshal(body, &told); err != nil {
		t.Fatal(err)
	}
	if told.Secret != "" {
		var err error
		if f.secret, err = letters.DecodeString(told.Secret); err != nil {
			t.Fatal(err)
		}
	}
	if len(told.RecoveryCodes) > 0 {
		f.recovery = told.RecoveryCodes[0].Code
	}
	f.pending = cmp.Or(told.Pending, f.pending)
}

// fill puts it into a body.
func (f *filler) fill(body string) string {
	if strings.Contains(body, "TOTP") {
		f.step = max(factor.Step(time.Now()), f.step+1)
		body = strings.Replace(body, "TOTP", factor.Digits(f.secret, f.step), 1)
	}
	code := "slc_none"
	for _, m := range f.box.Mails() { // the newest first
		if found := codeOfMail.FindStringSubmatch(m.Text); found != nil {
			code = found[1] + found[2]
			break
		}
	}
	return strings.NewReplacer("CODE", code, "PENDING", f.pending, "RECOVERY", f.recovery, "ACCESS", f.access).Replace(body)
}
