package mail_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"sluice/engine"
	"sluice/nodes/mail"
	"sluice/nodes/user"
)

var (
	invalidEmail = user.InvalidEmail
)

// A server is a real mail server in this process.
type server struct {
	addr   string
	refuse error // what every recipient is refused with
	users  bool  // only who signs in may send

	mu  sync.Mutex
	got []delivery // guarded by mu
}

// A delivery is what came over the wire.
type delivery struct{ user, from, to, data string }

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &dialogue{server: s}, nil }

type dialogue struct {
	server *server
	d      delivery
}

func (d *dialogue) AuthMechanisms() []string { return []string{sasl.Plain} }

func (d *dialogue) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, password string) error {
		if name != "ada" || password != "a secret for mail" {
			return smtp.ErrAuthFailed
		}
		d.d.user = name
		return nil
	}), nil
}

func (d *dialogue) Mail(from string, _ *smtp.MailOptions) error {
	if d.server.users && d.d.user == "" {
		return smtp.ErrAuthRequired
	}
	d.d.from = from
	return nil
}

func (d *dialogue) Rcpt(to string, _ *smtp.RcptOptions) error {
	d.d.to += to
	return d.server.refuse
}

func (d *dialogue) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	d.d.data = string(data)
	d.server.mu.Lock()
	defer d.server.mu.Unlock()
	d.server.got = append(d.server.got, d.d)
	return err
}

func (d *dialogue) Reset()        {}
func (d *dialogue) Logout() error { return nil }

// start starts a mail server: with TLS from the start, with STARTTLS, or without.
func (s *server) start(t *testing.T, how string) (roots *tls.Config) {
	t.Helper()
	own, roots := certificate(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	srv := smtp.NewServer(s)
	srv.Domain, srv.ErrorLog, srv.AllowInsecureAuth, srv.EnableSMTPUTF8 = "mail.test", log.New(io.Discard, "", 0), how == "none", true
	switch how {
	case "smtps":
		ln = tls.NewListener(ln, own)
	case "smtp":
		srv.TLSConfig = own
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		srv.Close()
		ln.Close() // which a server that has not begun to serve does not know
		<-served
	})
	return roots
}

// certificate makes a certificate of 127.0.0.1, and the settings that believe it.
func certificate(t *testing.T) (own, roots *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
}

func (s *server) deliveries() []delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

func TestMailArrivesAtARealServer(t *testing.T) {
	for name, tt := range map[string]struct{ how, url string }{
		"TLS from the start":     {"smtps", "smtps://ada:a%20secret%20for%20mail@"},
		"STARTTLS":               {"smtp", "smtp://ada:a%20secret%20for%20mail@"},
		"without TLS":            {"none", "smtp://"},
		"without TLS, signed in": {"none", "smtp://ada:a%20secret%20for%20mail@"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{users: strings.Contains(tt.url, "ada")}
			roots := s.start(t, tt.how)
			address := tt.url + s.addr
			if tt.how == "none" {
				address += "?tls=none"
			}
			sender, err := mail.NewSMTPOver(address, "Käse & Co <shop@example.com>", roots)
			if err != nil {
				t.Fatalf("NewSMTP() = %v, want nil", err)
			}
			m := mail.Message{
				To: "ada@example.com", Subject: "Schöne Grüße\r\nBcc: eve@example.com", Text: "Line one\n.\n\nBcc: eve@example.com\nlast ä\n", HTML: "<p>ä</p>",
			}
			if err := sender.Send(t.Context(), m); err != nil {
				t.Fatalf("Send() = %v, want nil", err)
			}
			got := s.deliveries()
			if len(got) != 1 || got[0].from != "shop@example.com" || got[0].to != "ada@example.com" {
				t.Fatalf("the server got %+v, want one mail from shop@example.com to ada@example.com", got)
			}
			checkMail(t, got[0].data)
		})
	}
}

// checkMail looks at a mail as its reader's program does.
func checkMail(t *testing.T, data string) {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if want := "Schöne Grüße  Bcc: eve@example.com"; err != nil || subject != want || msg.Header.Get("Bcc") != "" {
		t.Errorf("subject = %q, %v, Bcc %q, want %q and no Bcc", subject, err, msg.Header.Get("Bcc"), want)
	}
	for _, h := range []string{"Date", "Message-Id", "Auto-Submitted", "From", "To"} {
		if msg.Header.Get(h) == "" {
			t.Errorf("the mail has no %s", h)
		}
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	parts, texts := multipart.NewReader(msg.Body, params["boundary"]), []string{}
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			break
		}
		text, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, p.Header.Get("Content-Type")+"\n"+strings.ReplaceAll(strings.TrimSpace(string(text)), "\r\n", "\n"))
	}
	want := "text/plain; charset=UTF-8\nLine one\n.\n\nBcc: eve@example.com\nlast ä|text/html; charset=UTF-8\n<p>ä</p>"
	if got := strings.Join(texts, "|"); got != want {
		t.Errorf("parts = %q, want %q", got, want)
	}
}

func TestFailuresAreToldApart(t *testing.T) {
	const secret = "a%20secret%20for%20mail"
	for name, tt := range map[string]struct {
		url    string // with HOST
		refuse error
		how    string
		want   error
	}{
		"no such reader":    {"smtp://ada:" + secret + "@HOST", &smtp.SMTPError{Code: 550, Message: "no such user"}, "smtp", mail.ErrRefused},
		"greylisted":        {"smtp://ada:" + secret + "@HOST", &smtp.SMTPError{Code: 451, Message: "later"}, "smtp", engine.ErrUnavailable},
		"wrong password":    {"smtp://ada:wrong@HOST", nil, "smtp", engine.ErrUnavailable},
		"no TLS to be had":  {"smtp://ada:" + secret + "@HOST", nil, "none", engine.ErrUnavailable},
		"TLS is not spoken": {"smtps://ada:" + secret + "@HOST", nil, "none", engine.ErrUnavailable},
		"nobody is there":   {"smtp://ada:" + secret + "@127.0.0.1:1", nil, "smtp", engine.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &server{users: true, refuse: tt.refuse}
			roots := s.start(t, tt.how)
			sender, err := mail.NewSMTPOver(strings.Replace(tt.url, "HOST", s.addr, 1), "shop@example.com", roots)
			if err != nil {
				t.Fatalf("NewSMTP() = %v, want nil", err)
			}
			err = sender.Send(t.Context(), mail.Message{To: "ada@example.com", Subject: "x", Text: "x"})
			if !errors.Is(err, tt.want) || errors.Is(err, mail.ErrRefused) && errors.Is(err, engine.ErrUnavailable) {
				t.Errorf("Send() = %v, want %v", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "wrong")) {
				t.Errorf("Send() = %v, want no password in it", err)
			}
			if got := s.deliveries(); len(got) > 0 {
				t.Errorf("the server got %+v, want nothing", got)
			}
		})
	}
}

func TestCertificateOfNobodyIsRefused(t *testing.T) {
	s := &server{}
	s.start(t, "smtps")
	sender, err := mail.NewSMTP("smtps://"+s.addr, "shop@example.com")
	if err != nil {
		t.Fatalf("NewSMTP() = %v, want nil", err)
	}
	if err := sender.Send(t.Context(), mail.Message{To: "ada@example.com"}); !errors.Is(err, engine.ErrUnavailable) || len(s.deliveries()) > 0 {
		t.Errorf("Send() to a server whose certificate nobody signed = %v, want %v", err, engine.ErrUnavailable)
	}
}

func TestMailServerURLs(t *testing.T) {
	for address, want := range map[string]string{
		"smtp://mail.example.com":                          "",
		"smtp://user:hidden@mail.example.com:2525":         "",
		"smtps://user:hidden@mail.example.com":             "",
		"smtp://mail.example.com?tls=none":                 "",
		"smtp://user:hidden@localhost:1025?tls=none":       "",
		"smtp://user:hidden@[::1]:1025?tls=none":           "",
		"":                                                 "is not like",
		"mail.example.com":                                 "is not like",
		"smtp://":                                          "is not like",
		"smtp://user:hidden@mail.example.com/x":            "is not like",
		"smtp://user:hid den@mail.example.com":             "is not like",
		"https://user:hidden@mail.example.com":             "begins neither",
		"smtps://mail.example.com?tls=none":                "begins neither",
		"smtp://user:hidden@mail.example.com?tls=none":     "everybody on the way could read",
		"smtp://user:hidden@mail.example.com?tls=off":      "only tls=none",
		"smtp://user:hidden@mail.example.com?verify=false": "only tls=none",
	} {
		_, err := mail.NewSMTP(address, "shop@example.com")
		switch {
		case want == "" && err != nil:
			t.Errorf("NewSMTP(%s) = %v, want nil", address, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("NewSMTP(%s) = %v, want that it %s", address, err, want)
		case err != nil && strings.Contains(err.Error(), "hid"):
			t.Errorf("NewSMTP(%s) = %v, want no password in it", address, err)
		}
	}
	for _, from := range []string{"", "shop", "a@example.com, b@example.com", "x\r\nBcc: <eve@example.com>"} {
		if _, err := mail.NewSMTP("smtp://mail.example.com", from); err == nil {
			t.Errorf("NewSMTP() from %q = nil, want an error", from)
		}
	}
}

func TestAddressIsOneThatMailIsSentTo(t *testing.T) {
	for address, want := range map[string]string{
		"Ada@Example.com": "Ada@example.com", "ada@münchen.example": "ada@xn--mnchen-3ya.example",
		"ada": "", "ada@example.com\r\nBcc: eve@example.com": "", "ada@example.com, eve@example.com": "", "<ada@example.com>": "",
	} {
		if got, err := mail.Address(address); got != want || (err == nil) != (want != "") {
			t.Errorf("Address(%q) = %q, %v, want %q", address, got, err, want)
		}
	}
}
