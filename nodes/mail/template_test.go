package mail_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"sluice/nodes/mail"
)

// folder is a file system with files in the folder mail.
func folder(files map[string]string) fstest.MapFS {
	fs := fstest.MapFS{"errors.yaml": {Data: []byte("x: 1")}}
	for name, text := range files {
		fs["mail/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fs
}

// templates reads templates that have no problems.
func templates(t testing.TB, files map[string]string) *mail.Templates {
	t.Helper()
	read, problems := mail.ReadTemplates(folder(files))
	if err := problems.Err(); err != nil {
		t.Fatalf("ReadTemplates() = %v, want no problems", err)
	}
	return read
}

func TestMistakesInTemplatesAreToldWithTheirPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		file, text, want string
	}{
		"no subject":          {"a.txt", "Hello\n\nx", "mail/a.txt:1:1: the first line is not the subject (as in Subject: Choose a new password)"},
		"empty subject":       {"a.txt", "Subject:  \n\nx", "mail/a.txt:1:1: the first line is not the subject (as in Subject: Choose a new password)"},
		"empty file":          {"a.txt", "", "mail/a.txt:1:1: the first line is not the subject (as in Subject: Choose a new password)"},
		"no value":            {"a.txt", "Subject: x\n\nHello {$user.name}", "mail/a.txt:3:7: {$user.name} is no value (a name in braces, as in {$link})"},
		"open brace":          {"a.txt", "Subject: x\n\nHello {$name", "mail/a.txt:3:7: {$name is no value (a name in braces, as in {$link})"},
		"control characters":  {"a.txt", "Subject: x\n\n\x01.a\x02", "mail/a.txt:3:1: the line has control characters"},
		"name of a file":      {"A b.txt", "Subject: x", `mail/A b.txt:1:1: "A b" cannot be the name of a template (small letters, digits and dashes, as in reset-password.txt)`},
		"HTML without a text": {"a.html", "<p>x</p>", "mail/a.html:1:1: there is no a.txt beside it (not everybody reads HTML)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := mail.ReadTemplates(folder(map[string]string{tt.file: tt.text}))
			if got := problems.Error(); got != tt.want {
				t.Errorf("ReadTemplates(%q) = %s, want %s", tt.text, got, tt.want)
			}
		})
	}
}

func TestHTMLThatCannotBeEscapedDoesNotLoad(t *testing.T) {
	for name, text := range map[string]string{
		"open tag":        `<a href="{$link}`,
		"open script":     "<script>let x = {$name}",
		"in two contexts": "<a href={$name}{$name}='x",
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := mail.ReadTemplates(folder(map[string]string{"a.txt": "Subject: x\n", "a.html": text}))
			if len(problems) == 0 || !strings.HasPrefix(problems[0].Pos.File, "mail/a.html") {
				t.Errorf("ReadTemplates(%q) = %v, want a problem in mail/a.html", text, problems)
			}
		})
	}
}

func TestValuesAreEscapedForTheirPlace(t *testing.T) {
	ts := templates(t, map[string]string{
		"x.txt": "Subject: Hello {$name}\n\n{$name}\n{{.name}} {% name %} ${name}\n",
		"x.html": `<p title="{$name}">{$name}</p><a href="{$name}">x</a><a href="/x?q={$name}">x</a>` +
			`<script>let x = {$name}</script>{{.name}}`,
	})
	m, err := ts.Render("x", "ada@example.com", map[string]any{"name": "javascript:alert(\"1\")\r\nBcc: <b>&{$name}{{.}}\x00"})
	if err != nil {
		t.Fatalf("Render() = %v, want nil", err)
	}
	want := mail.Message{
		To:      "ada@example.com",
		Subject: "Hello javascript:alert(\"1\")  Bcc: <b>&{$name}{{.}} ",
		Text:    "javascript:alert(\"1\")\nBcc: <b>&{$name}{{.}}\n{{.name}} {% name %} ${name}\n",
	}
	if m.To != want.To || m.Subject != want.Subject || m.Text != want.Text {
		t.Errorf("Render() = %q, want %q", m, want)
	}
	for _, part := range []string{
		`<p title="javascript:alert(&#34;1&#34;)`, "&lt;b&gt;&amp;{$name}", `<a href="#ZgotmplZ">`, `<a href="/x?q=javascript%3aalert%28%221%22%29`,
		`let x = "javascript:alert(\"1\")\r\nBcc: \u003cb\u003e`, "</script>{{.name}}",
	} {
		if !strings.Contains(m.HTML, part) {
			t.Errorf("Render() gives the HTML %s, want %s in it", m.HTML, part)
		}
	}
}

func TestRenderFailsForWhatIsNotThere(t *testing.T) {
	ts := templates(t, map[string]string{"x.txt": "Subject: {$one}\n\n{$two}", "x.html": "{$three}", "_no.txt": "x", "notes.md": "x"})
	all := map[string]any{"one": 1, "two": true, "three": ""}
	if _, err := ts.Render("x", "", all); err != nil {
		t.Errorf("Render() with all values = %v, want nil", err)
	}
	for name := range all {
		some := map[string]any{"one": 1, "two": true, "three": ""}
		delete(some, name)
		if _, err := ts.Render("x", "", some); err == nil {
			t.Errorf("Render() without the value %s = nil, want an error", name)
		}
	}
	var none *mail.Templates
	for _, ts := range []*mail.Templates{ts, none} {
		if _, err := ts.Render("y", "", all); err == nil {
			t.Error("Render() of a template that is not there = nil, want an error")
		}
	}
	if got := strings.Join(ts.Names(), " "); got != "x" {
		t.Errorf("Names() = %s, want x", got)
	}
}

func FuzzTemplates(f *testing.F) {
	f.Add("Subject: Hello {$name}\n\n{$name}", `<a href="{$name}">{$name}</a>`, "Ada\r\nBcc: eve@example.com")
	f.Add("Subject: x", "<script>{$x}</script>", "</script><script>alert(1)")
	f.Add("Subject: x", "<p {$x}", "onload=x")
	f.Fuzz(func(t *testing.T, text, html, value string) {
		ts, problems := mail.ReadTemplates(folder(map[string]string{"x.txt": text, "x.html": html}))
		if len(problems) > 0 {
			return
		}
		values := map[string]any{}
		for _, part := range strings.Split(text+html, "{$") {
			name, _, _ := strings.Cut(part, "}")
			values[name] = value
		}
		m, err := ts.Render("x", "ada@example.com", values)
		if err != nil {
			t.Fatalf("Render(%q, %q) of %q = %v, want nil", text, html, value, err)
		}
		if strings.ContainsAny(m.Subject, "\r\n\x00") {
			t.Errorf("Render() gives the subject %q, want one line", m.Subject)
		}
		if strings.Contains(value, "<img") && !strings.Contains(html, "<img") && strings.Contains(m.HTML, "<img") {
			t.Errorf("Render() gives the HTML %q, want %q escaped", m.HTML, value)
		}
	})
}
