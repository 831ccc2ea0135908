package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"sluice/engine"
	"sluice/nodes/mail"
	"sluice/server/endpoint"
)

// A mailPage shows the mails that were kept in place of being sent.
type mailPage struct{ box *mail.Mailbox }

func (mailPage) Method() string { return "GET" }
func (mailPage) Path() string   { return "/_studio/mail" }
func (mailPage) MaxBody() int   { return 0 }

func (p mailPage) Call(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	if !fromHere(r) {
		return engine.Answer{}, errNotHere()
	}
	var b bytes.Buffer
	if err := mailTemplate.Execute(&b, shown(p.box.Mails())); err != nil {
		return engine.Answer{}, fmt.Errorf("showing mails: %w", err)
	}
	return engine.Answer{Status: 200, Type: "text/html; charset=utf-8", Body: b.Bytes(), Headers: []engine.Header{
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"},
		{Name: "Referrer-Policy", Value: "no-referrer"},
	}}, nil
}

// A mailList gives the same mails as data.
type mailList struct{ box *mail.Mailbox }

func (mailList) Method() string { return "GET" }
func (mailList) Path() string   { return "/_studio/mail.json" }
func (mailList) MaxBody() int   { return 0 }

func (l mailList) Call(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	if !fromHere(r) {
		return engine.Answer{}, errNotHere()
	}
	body, err := json.Marshal(map[string]any{"mails": append([]mail.Kept{}, l.box.Mails()...)})
	if err != nil {
		return engine.Answer{}, fmt.Errorf("showing mails: %w", err)
	}
	return engine.Answer{Status: 200, Body: body}, nil
}

func errNotHere() error {
	return engine.Fail(engine.Forbidden, "not_this_machine", "The studio answers its own machine only, as at http://localhost.")
}

// fromHere tells whether a request comes from this machine, was sent to it by one
// of its own names, and by no page of another site: neither by a proxy, nor by
// a page whose name was made to lead here.
func fromHere(r *endpoint.Request) bool {
	if !r.IP.Unmap().IsLoopback() {
		return false
	}
	for _, name := range []string{"Forwarded", "Via", "X-Real-Ip", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if len(r.Header(name)) > 0 {
			return false
		}
	}
	for _, site := range r.Header("Sec-Fetch-Site") {
		if site != "none" && site != "same-origin" {
			return false
		}
	}
	hosts := r.Header("Host")
	return len(hosts) == 1 && ownName(hosts[0])
}

// ownName tells whether a Host header names the machine itself.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.Unmap().IsLoopback()
}

// A shownMail is a mail with its text in parts, of which those that are links
// can be followed.
type shownMail struct {
	mail.Kept
	Parts []textPart
}

type textPart struct{ Text, Link string }

var links = regexp.MustCompile(`https?://[^\s<>"]+`)

func shown(mails []mail.Kept) (all []shownMail) {
	for _, k := range mails {
		m, rest := shownMail{Kept: k}, k.Text
		for _, at := range links.FindAllStringIndex(k.Text, -1) {
			done := len(k.Text) - len(rest)
			m.Parts = append(m.Parts, textPart{Text: k.Text[done:at[0]]}, textPart{k.Text[at[0]:at[1]], k.Text[at[0]:at[1]]})
			rest = k.Text[at[1]:]
		}
		all = append(all, shownMail{k, append(m.Parts, textPart{Text: rest})})
	}
	return all
}

var mailTemplate = template.Must(template.New("mails").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mail - Sluice</title>
<style>
	body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
	article { border: 1px solid #d0d7de; border-radius: 6px; margin: 1rem 0; padding: 0 1rem }
	h2 { font-size: 1.1rem } pre { white-space: pre-wrap; overflow-wrap: anywhere } small { color: #57606a }
	iframe { width: 100%; height: 20rem; border: 1px solid #d0d7de; background: #fff }
	@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } a { color: #58a6ff } small { color: #9198a1 } }
</style>
<h1>Mail</h1>
<p>There is no mail server (<code>mail-url</code>), so mails are kept here, in memory.</p>
{{range .}}<article id="{{.ID}}">
<h2>{{.Subject}}</h2>
<small>to {{.To}}, <time datetime="{{.SentAt.Format "2006-01-02T15:04:05.000Z07:00"}}">{{.SentAt.Format "2006-01-02 15:04:05 UTC"}}</time></small>
<pre>{{range .Parts}}{{if .Link}}<a href="{{.Link}}" rel="noreferrer">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre>
{{with .HTML}}<details><summary>as HTML</summary><iframe sandbox srcdoc="{{.}}" title="the mail as HTML"></iframe></details>{{end}}
</article>
{{else}}<p>No mail yet.</p>{{end}}
</html>
`))
