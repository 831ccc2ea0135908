package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"sluice/server"
)

const (
	adaSignsUp = `{"email": "ada@example.com", "password": "a ferry across the river"}`
	adaForgot  = `{"email": "ada@example.com"}`
)

// mails are what the mailbox of a server shows, the newest first.
func mails(t *testing.T, r *running) (all []struct{ ID, To, Subject, Text string }) {
	t.Helper()
	status, body := ask(t, "GET", r.url+"/_studio/mail.json", "", "")
	var list struct {
		Mails []struct{ ID, To, Subject, Text string }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
		t.Fatalf("GET /_studio/mail.json = %d %s, %v, want mails", status, body, err)
	}
	return list.Mails
}

// await waits until something has come about in the background.
func await(t *testing.T, what string, there func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

func TestForgottenPasswordIsResetByTheMailbox(t *testing.T) {
	var logged bytes.Buffer
	r := run(t, server.Config{}, server.Log(slog.New(slog.NewTextHandler(&logged, nil))))
	if status, body := ask(t, "POST", r.url+"/auth/sign-up", "", adaSignsUp); status != 201 {
		t.Fatalf("sign-up = %d %s, want 201", status, body)
	}
	for _, body := range []string{`{"email": "eve@example.com"}`, adaForgot} {
		if status, body := ask(t, "POST", r.url+"/auth/reset-password", "", body); status != 202 || body != "" {
			t.Fatalf("reset-password = %d %s, want 202", status, body)
		}
	}
	await(t, "a mail", func() bool { return len(mails(t, r)) > 0 })
	m := mails(t, r)[0]
	found := regexp.MustCompile(regexp.QuoteMeta(r.url) + `/reset-password\?code=(\S+)`).FindStringSubmatch(m.Text)
	if len(mails(t, r)) != 1 || m.To != "ada@example.com" || found == nil {
		t.Fatalf("the mailbox has %+v, want one mail to ada@example.com with a link to %s", mails(t, r), r.url)
	}
	_, page := ask(t, "GET", r.url+"/_studio/mail", "", "")
	if !strings.Contains(page, found[1]) || !strings.Contains(page, `<article id="`+m.ID+`">`) {
		t.Errorf("GET /_studio/mail = %s, want the mail in it", page)
	}
	reset := `{"code": "` + found[1] + `", "password": "the bridge behind the mill"}`
	if status, body := ask(t, "POST", r.url+"/auth/reset-password/confirm", "", reset); status != 204 {
		t.Fatalf("reset-password/confirm = %d %s, want 204", status, body)
	}
	if status, body := ask(t, "POST", r.url+"/auth/sign-in", "", strings.Replace(adaSignsUp, "a ferry across the river", "the bridge behind the mill", 1)); status != 200 {
		t.Errorf("sign-in with the new password = %d %s, want 200", status, body)
	}
	r.stop()
	if strings.Contains(logged.String(), found[1]) {
		t.Errorf("the log has the code: %s", logged.String())
	}
}

func TestMailboxIsForThisMachineOnly(t *testing.T) {
	r := run(t, server.Config{})
	for name, c := range map[string]struct {
		header map[string]string
		status int
	}{
		"a browser here":           {map[string]string{"Sec-Fetch-Site": "none"}, 200},
		"the studio itself":        {map[string]string{"Sec-Fetch-Site": "same-origin"}, 200},
		"by its name":              {map[string]string{"Host": "localhost:8080"}, 200},
		"by IPv6":                  {map[string]string{"Host": "[::1]:8080"}, 200},
		"a page of another site":   {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"a page of the same site":  {map[string]string{"Sec-Fetch-Site": "same-site"}, 403},
		"a name that leads here":   {map[string]string{"Host": "evil.example.com"}, 403},
		"a name like ours":         {map[string]string{"Host": "localhost.evil.example.com"}, 403},
		"an address of a network":  {map[string]string{"Host": "192.168.1.7:8080"}, 403},
		"a proxy":                  {map[string]string{"X-Forwarded-For": "203.0.113.7"}, 403},
		"a proxy of another kind":  {map[string]string{"Forwarded": "for=203.0.113.7"}, 403},
		"a proxy that says little": {map[string]string{"Via": "1.1 proxy"}, 403},
		"a proxy as nginx is set":  {map[string]string{"X-Real-IP": "203.0.113.7"}, 403},
	} {
		for _, path := range []string{"/_studio/mail", "/_studio/mail.json"} {
			q, err := http.NewRequestWithContext(t.Context(), "GET", r.url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			for k, v := range c.header {
				q.Header.Set(k, v)
			}
			q.Host = q.Header.Get("Host")
			a, err := http.DefaultTransport.RoundTrip(q)
			if err != nil {
				t.Fatal(err)
			}
			a.Body.Close()
			if a.StatusCode != c.status {
				t.Errorf("GET %s from %s = %d, want %d", path, name, a.StatusCode, c.status)
			}
		}
	}
}

func TestMailboxIsServedInDevelopmentOnly(t *testing.T) {
	for name, c := range map[string]struct {
		conf   server.Config
		status int
	}{
		"on this machine":                        {server.Config{}, 200},
		"switched off":                           {server.Config{Studio: "off"}, 404},
		"a mail server":                          {server.Config{MailURL: "smtp://mail.example.com", MailFrom: "a@example.com", AppURL: "https://app.example.com", SMSURL: "https://texts.example.com", SMSSecret: "s"}, 404},
		"a mail server and no webhook for texts": {server.Config{MailURL: "smtp://mail.example.com", MailFrom: "a@example.com", AppURL: "https://app.example.com"}, 200},
	} {
		r := run(t, c.conf)
		if status, body := ask(t, "GET", r.url+"/_studio/mail", "", ""); status != c.status {
			t.Errorf("GET /_studio/mail with %s = %d %s, want %d", name, status, body, c.status)
		}
		notes := strings.Join(r.Summary().Notes, "\n")
		if c.conf.Studio == "off" != strings.Contains(notes, "mail-url is not set") {
			t.Errorf("with %s: Notes = %q", name, notes)
		}
	}
}

func TestWebhookForTextsWantsItsSecret(t *testing.T) {
	for _, conf := range []server.Config{{SMSURL: "https://texts.example.com/send"}, {SMSSecret: "hidden"}} {
		conf.Dir, conf.Addr = t.TempDir(), "127.0.0.1:0"
		_, err := server.New(t.Context(), conf)
		if err == nil || !strings.Contains(err.Error(), "sms-url and sms-secret want each other") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("New with sms-url %q and one half of the two = %v, want an error that names both settings", conf.SMSURL, err)
		}
	}
}

// A postman is a mail server that keeps what it gets.
type postman struct {
	mu   sync.Mutex
	data []string // guarded by mu
}

func (p *postman) NewSession(*smtp.Conn) (smtp.Session, error) { return p, nil }
func (p *postman) Reset()                                      {}
func (p *postman) Logout() error                               { return nil }
func (p *postman) Mail(string, *smtp.MailOptions) error        { return nil }
func (p *postman) Rcpt(to string, _ *smtp.RcptOptions) error   { return nil }
func (p *postman) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.data = append(p.data, string(data))
	return err
}

func TestStopSendsTheMailThatWaits(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postman{}
	srv := smtp.NewServer(p)
	srv.Domain, srv.ErrorLog = "mail.test", log.New(io.Discard, "", 0)
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	defer func() { srv.Close(); ln.Close(); <-served }()

	site := url.URL{Scheme: "https", Host: "app.example.com"}
	r := run(t, server.Config{MailURL: "smtp://" + ln.Addr().String() + "?tls=none", MailFrom: "Shop <shop@example.com>", AppURL: site.String()})
	ask(t, "POST", r.url+"/auth/sign-up", "", adaSignsUp)
	if status, body := ask(t, "POST", r.url+"/auth/reset-password", "", adaForgot); status != 202 {
		t.Fatalf("reset-password = %d %s, want 202", status, body)
	}
	r.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.data) != 1 || !strings.Contains(p.data[0], "https://app.example.com/reset-password") || !strings.Contains(p.data[0], "shop@example.com") {
		t.Errorf("the mail server got %q, want one mail with a link to the application", p.data)
	}
}

func TestMistakesInTemplatesAreProblemsOfTheFlows(t *testing.T) {
	dir := t.TempDir()
	send := "about: x\nendpoint: POST /x\nsession: none\nsteps:\n  - node: mail.send\n    with: {to: ada@example.com, template: welcom}\n  - respond: 204\n"
	write(t, dir, map[string]string{"flows/x.yaml": send, "flows/mail/welcome.txt": "Subject: Welcome\n\nHello.", "flows/mail/bad.txt": "Hello"})
	_, err := server.Check(server.Config{Dir: dir})
	if err == nil {
		t.Fatal("Check() = nil, want problems")
	}
	for _, want := range []string{"mail/bad.txt:1:1: the first line is not the subject", "x.yaml:6:43: mail.send.template must be one of bad, welcome"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check() = %v, want %q in it", err, want)
		}
	}
}
