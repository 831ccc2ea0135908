package mail

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"sluice/engine"
)

// folder is where templates are, below that of the flows.
const folder = "mail"

// Templates are the mails of an application, by name. They do not change.
type Templates struct{ byName map[string]*letter }

// A letter is one template.
type letter struct {
	subject, text string
	html          *template.Template // nil for none
	wants         []string           // names of values, sorted
}

// Delimiters that no file can hold: a template of Go's own language would do
// more than put values in.
const openMark, closeMark = "\x01", "\x02"

var (
	placeholder  = regexp.MustCompile(`\{\$([A-Za-z][A-Za-z0-9]*)\}`)
	templateName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	unfinished   = regexp.MustCompile(`\{\$[^}\n]*\}?`)
)

// ReadTemplates reads the templates beside the flows of a file system. Problems
// name their place.
func ReadTemplates(fsys fs.FS) (*Templates, engine.Problems) {
	t := &Templates{byName: map[string]*letter{}}
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return t, nil // no folder, no mail
	}
	var problems engine.Problems
	htmls := map[string]string{}
	for _, e := range entries {
		file, ext := path.Join(folder, e.Name()), path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext)
		if e.IsDir() || strings.ContainsRune("._", rune(name[0])) || ext != ".txt" && ext != ".html" {
			continue
		}
		at := engine.Pos{File: file, Line: 1, Column: 1}
		data, err := fs.ReadFile(fsys, file)
		switch {
		case err != nil:
			problems = append(problems, engine.Problem{Pos: at, Message: "it cannot be read: " + err.Error()})
		case !templateName.MatchString(name):
			problems = append(problems, engine.Problem{Pos: at, Message: fmt.Sprintf("%q cannot be the name of a template", name), Hint: "small letters, digits and dashes, as in reset-password.txt"})
		case ext == ".html":
			htmls[name] = string(data)
			problems = append(problems, checkText(file, string(data))...)
		default:
			l, ps := readLetter(file, string(data))
			problems = append(problems, ps...)
			t.byName[name] = l
		}
	}
	for _, name := range slices.Sorted(maps.Keys(htmls)) {
		problems = append(problems, t.addHTML(name, htmls[name])...)
	}
	for _, l := range t.byName {
		slices.Sort(l.wants)
		l.wants = slices.Compact(l.wants)
	}
	return t, problems
}

// readLetter reads the text of a template.
func readLetter(file, text string) (*letter, engine.Problems) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	first, body, _ := strings.Cut(text, "\n")
	subject, ok := strings.CutPrefix(first, "Subject: ")
	subject = strings.TrimSpace(subject)
	problems := checkText(file, text)
	if !ok || subject == "" {
		problems = append(problems, engine.Problem{
			Pos: engine.Pos{File: file, Line: 1, Column: 1}, Message: "the first line is not the subject", Hint: "as in Subject: Choose a new password",
		})
	}
	return &letter{subject: subject, text: strings.TrimLeft(body, "\n"), wants: wanted(text)}, problems
}

func wanted(text string) (names []string) {
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// checkText reports what looks like a value and is none, and what no text holds.
func checkText(file, text string) (problems engine.Problems) {
	line := 0
	for l := range strings.Lines(text) {
		line++
		for _, at := range unfinished.FindAllStringIndex(l, -1) {
			if found := l[at[0]:at[1]]; !placeholder.MatchString(found) {
				problems = append(problems, engine.Problem{
					Pos: engine.Pos{File: file, Line: line, Column: at[0] + 1}, Message: fmt.Sprintf("%s is no value", found), Hint: "a name in braces, as in {$link}",
				})
			}
		}
		if strings.ContainsAny(l, "\x00"+openMark+closeMark) {
			problems = append(problems, engine.Problem{Pos: engine.Pos{File: file, Line: line, Column: 1}, Message: "the line has control characters"})
		}
	}
	return problems
}

// addHTML adds the HTML of a template to its text.
func (t *Templates) addHTML(name, text string) engine.Problems {
	file := path.Join(folder, name+".html")
	at := engine.Pos{File: file, Line: 1, Column: 1}
	l := t.byName[name]
	if l == nil {
		return engine.Problems{{Pos: at, Message: "there is no " + name + ".txt beside it", Hint: "not everybody reads HTML"}}
	}
	names := wanted(text)
	marked := placeholder.ReplaceAllString(text, openMark+"."+"$1"+closeMark)
	html, err := template.New(name).Delims(openMark, closeMark).Option("missingkey=error").Parse(marked)
	if err == nil {
		// Where values stand is judged when the template runs first.
		sample := map[string]any{}
		for _, n := range names {
			sample[n] = "sample"
		}
		err = html.Execute(&bytes.Buffer{}, sample)
	}
	if err != nil {
		if bad := new(template.Error); errors.As(err, &bad) && bad.Line > 0 {
			at.Line = bad.Line
			return engine.Problems{{Pos: at, Message: "a value cannot stand there: " + bad.Description}}
		}
		return engine.Problems{{Pos: at, Message: "it is no template: " + err.Error()}}
	}
	l.html, l.wants = html, append(l.wants, names...)
	return nil
}

// Names returns the names of the templates in order.
func (t *Templates) Names() []string {
	if t == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(t.byName))
}

// Render makes a mail of a template. It fails where the template is not there,
// or wants a value that is not given.
func (t *Templates) Render(name, to string, values map[string]any) (Message, error) {
	var l *letter
	if t != nil {
		l = t.byName[name]
	}
	if l == nil {
		return Message{}, fmt.Errorf("there is no template %s in the folder %s", name, folder)
	}
	texts := make(map[string]string, len(l.wants))
	for _, n := range l.wants {
		v, ok := values[n]
		if !ok || v == nil {
			return Message{}, fmt.Errorf("template %s wants a value %s", name, n)
		}
		texts[n] = fmt.Sprint(v)
	}
	m := Message{To: to, Subject: filled(l.subject, texts, oneLine), Text: filled(l.text, texts, visible)}
	if l.html != nil {
		var b bytes.Buffer
		if err := l.html.Execute(&b, texts); err != nil {
			return Message{}, fmt.Errorf("filling template %s: %w", name, err)
		}
		m.HTML = b.String()
	}
	return m, nil
}

// filled puts values in, each made fit for its place.
func filled(text string, values map[string]string, fit func(string) string) string {
	return placeholder.ReplaceAllStringFunc(text, func(part string) string {
		return fit(values[placeholder.FindStringSubmatch(part)[1]])
	})
}

// oneLine makes a text one that a header can hold.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}

// visible leaves controls but line breaks and tabs out of a text.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}
