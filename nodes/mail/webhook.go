package mail

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"sluice/engine"
)

// hookTimeout is how long handing over one text may take.
const hookTimeout = 10 * time.Second

// A Webhook hands texts over to whoever delivers them: a POST of {"to": number,
// "text": text} as JSON, to be answered by any status of the 200s. Authorization
// has the secret, as Bearer, and Idempotency-Key is the same for each try of one
// text, so that no try is paid twice.
type Webhook struct {
	url    string
	secret string
	client *http.Client
}

var _ Sender = (*Webhook)(nil)

// NewWebhook returns a sender that hands texts over at a URL, which is of HTTPS
// unless it leads to this machine, and shows a secret there.
func NewWebhook(address, secret string) (*Webhook, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Hostname() == "" || u.Fragment != "":
		return nil, errors.New("the URL of the webhook is not like https://texts.example.com/send")
	case u.User != nil:
		return nil, errors.New("the URL of the webhook has a name or a password in it, which sms-secret is for")
	case u.Scheme != "https" && !(u.Scheme == "http" && thisMachine(u.Hostname())):
		return nil, errors.New("the URL of the webhook does not begin with https:, and everybody on the way could read the texts")
	case secret == "" || strings.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, errors.New("the secret of the webhook is missing, or has more in it than visible ASCII characters")
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	return &Webhook{url: address, secret: secret, client: &http.Client{
		Timeout:   hookTimeout,
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConns: 4, IdleConnTimeout: time.Minute},
		// Nobody but the owner says who gets the secret and the texts.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Send hands a text over. Errors show neither the number nor the text.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	text := strings.TrimSpace(m.Text)
	body, err := json.Marshal(map[string]string{"to": m.To, "text": text})
	if err != nil {
		return fmt.Errorf("writing text: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling the webhook for texts: %w", bare(err))
	}
	once := sha256.Sum256([]byte(m.To + "\x00" + text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+w.secret)
	r.Header.Set("Idempotency-Key", base64.RawURLEncoding.EncodeToString(once[:]))
	answer, err := w.client.Do(r)
	if err != nil {
		return fmt.Errorf("calling the webhook for texts: %w: %w", engine.ErrUnavailable, bare(err))
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4096) // so that the connection can be used again
	switch code := answer.StatusCode; {
	case code/100 == 2:
		return nil
	case code/100 == 5, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("calling the webhook for texts: %w: it answers %d", engine.ErrUnavailable, code)
	default:
		return fmt.Errorf("%w: the webhook for texts answers %d", ErrRefused, code)
	}
}

// bare is an error without the URL that it is about, which may hold a key.
func bare(err error) error {
	var of *url.Error
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}
