package studio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"regexp"

	"sluice/engine"
	"sluice/nodes/mail"
	"sluice/server/endpoint"
)

// A mailPage shows the mails that were kept in place of being sent.
type mailPage struct{ *Studio }

func (mailPage) Method() string { return "GET" }
func (mailPage) Path() string   { return "/_studio/mail" }
func (mailPage) MaxBody() int   { return 0 }

func (s mailPage) Call(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	if s.Group != "" || !fromHere(r) {
		return engine.Answer{}, errNotHere()
	}
	var b bytes.Buffer
	if err := mailTemplate.Execute(&b, shown(s.Mailbox.Mails())); err != nil {
		return engine.Answer{}, fmt.Errorf("showing mails: %w", err)
	}
	return engine.Answer{Status: 200, Type: "text/html; charset=utf-8", Body: b.Bytes(), Headers: []engine.Header{
		{Name: "Content-Security-Policy", Value: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"},
		{Name: "Referrer-Policy", Value: "no-referrer"},
	}}, nil
}

// A mailList gives the same mails as data.
type mailList struct{ *Studio }

func (mailList) Method() string { return "GET" }
func (mailList) Path() string   { return "/_studio/mail.json" }
func (mailList) MaxBody() int   { return 0 }

func (s mailList) Call(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	if s.Group != "" || !fromHere(r) {
		return engine.Answer{}, errNotHere()
	}
	return mailsOf(s.Mailbox)
}

// mailsOf gives the mails that were kept as data.
func mailsOf(box *mail.Mailbox) (engine.Answer, error) {
	body, err := json.Marshal(map[string]any{"mails": append([]mail.Kept{}, box.Mails()...)})
	if err != nil {
		return engine.Answer{}, fmt.Errorf("showing mails: %w", err)
	}
	return engine.Answer{Status: 200, Body: body}, nil
}

// mail gives the same mails to the page.
func (s *Studio) mail(context.Context, *endpoint.Request) (any, error) {
	if s.Mailbox == nil {
		return nil, missing("Mails are sent, and none is kept.")
	}
	a, err := mailsOf(s.Mailbox)
	return raw(a.Body), err
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
<p>Mails without a mail server (<code>mail-url</code>) and texts without a webhook (<code>sms-url</code>) are kept here, in memory.</p>
{{range .}}<article id="{{.ID}}">
<h2>{{.Subject}}</h2>
<small>{{.What}} to {{.To}}, <time datetime="{{.SentAt.Format "2006-01-02T15:04:05.000Z07:00"}}">{{.SentAt.Format "2006-01-02 15:04:05 UTC"}}</time></small>
<pre>{{range .Parts}}{{if .Link}}<a href="{{.Link}}" rel="noreferrer">{{.Text}}</a>{{else}}{{.Text}}{{end}}{{end}}</pre>
{{with .HTML}}<details><summary>as HTML</summary><iframe sandbox srcdoc="{{.}}" title="the mail as HTML"></iframe></details>{{end}}
</article>
{{else}}<p>No mail yet.</p>{{end}}
</html>
`))
