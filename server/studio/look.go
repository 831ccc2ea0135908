package studio

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/server/endpoint"
	"sluice/server/flowtext"
	"sluice/server/lsp"
	"sluice/server/rest"
)

// revision names a text.
func revision(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:12])
}

// disk reads a file; one that is not there has no revision.
func (s *Studio) disk(file string) (text, rev string, err error) {
	data, err := fs.ReadFile(s.Files, file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil
	case err != nil:
		return "", "", fmt.Errorf("reading %s: %w", file, err)
	}
	s.texts.keep(string(data))
	return string(data), revision(string(data)), nil
}

// checkFile says why a file is none that the studio has to do with, or nil.
func checkFile(file string) error {
	bad := !fs.ValidPath(file) || path.Ext(file) != ".yaml" || len(file) > 500 || strings.ContainsAny(file, "\\:*?\"<>|\x00\n\r")
	for part := range strings.SplitSeq(file, "/") {
		bad = bad || part == "" || part[0] == '.' || part[0] == '_' || strings.TrimSpace(part) != part
	}
	if bad {
		return refused("bad_file", "%.100q cannot be the name of a flow file: a path below the folder of the flows that ends in .yaml.", strings.ToValidUTF8(file, "?"))
	}
	return nil
}

func (s *Studio) flow(_ context.Context, r *endpoint.Request) (any, error) {
	file, err := query(r, "file")
	if err == nil {
		err = checkFile(file)
	}
	if err != nil {
		return nil, err
	}
	text, rev, err := s.disk(file)
	switch {
	case err != nil:
		return nil, err
	case rev == "":
		return nil, missing("There is no file %s.", file)
	}
	return s.sheet(file, text)
}

func (s *Studio) draw(_ context.Context, in Draft) (Sheet, error) {
	if err := checkFile(in.File); err != nil {
		return Sheet{}, err
	}
	return s.sheet(in.File, in.Text)
}

// manyFlows make an app whose check takes so long that a text is read by itself
// while it is typed.
const manyFlows = 300

// sheet tells everything that is known of a text.
func (s *Studio) sheet(file, text string) (Sheet, error) {
	sh := Sheet{File: file, Text: text, Kind: kindOf(file)}
	var err error
	if _, sh.Revision, err = s.disk(file); err != nil {
		return sh, err
	}
	survey, err := s.surveyed()
	if err != nil {
		return sh, err
	}
	read, problems, err := s.checked(&sh, survey)
	if err != nil {
		return sh, err
	}
	tree, mistake := flowtext.Read(file, text)
	if mistake != nil {
		if found := (engine.Problems{}); errors.As(mistake, &found) && len(problems) == 0 {
			problems = found
		}
		sh.Problems = marked(problems, nil, text)
		if sh.Kind == "endpoint" {
			sh.Kind = "none"
		}
		return sh, nil
	}
	sh.Readable = true
	p := newPlaces(tree)
	sh.Problems = marked(problems, p, text)
	if read == nil {
		return sh, nil
	}
	s.fillIn(&sh, read, p)
	return sh, nil
}

// checked reads a text as the one checker does: with all other files, or where there
// are many of them, or the text is of a folder that is not there yet, by itself.
func (s *Studio) checked(sh *Sheet, survey *engine.Survey) (read *engine.Sheet, problems engine.Problems, err error) {
	_, nowhere := fs.Stat(s.Files, path.Dir(sh.File))
	switch {
	case sh.Kind == "test":
		return nil, nil, nil
	case sh.Kind == "endpoint" && (survey.Flows >= manyFlows || nowhere != nil):
		read, problems = survey.Read(sh.File, []byte(sh.Text))
		return read, problems, nil
	case survey.Flows >= manyFlows:
		return nil, nil, nil
	}
	whole, err := s.analyze(lsp.Unsaved(s.Files, map[string]string{sh.File: sh.Text}))
	if err != nil {
		return nil, nil, err
	}
	if sh.Kind == "endpoint" {
		read, _ = whole.Read(sh.File, []byte(sh.Text))
	}
	return read, concerning(sh.File, whole, survey), nil
}

// fillIn tells what stands in a flow.
func (s *Studio) fillIn(sh *Sheet, read *engine.Sheet, p *places) {
	var h Header
	if read.Node != nil {
		sh.Kind = "node"
		h = Header{About: read.Node.Doc, Node: read.Node.Name, Enabled: true, Outcomes: outcomesOf(read.Node.Outcomes), Input: map[string]Part{}}
		if len(read.Node.In.Props) > 0 {
			h.Input["params"] = partOf("params", read.Node.In)
		}
	} else {
		h = headerOf(read.Flow)
	}
	h.Places = map[string]Span{}
	for _, c := range p.tree.Top().Children() {
		h.Places[c.Place] = p.span(c)
	}
	sh.Header = &h
	sh.Steps = p.steps(read, s)
	sh.Drawing = p.drawing(read)
}

func kindOf(file string) string {
	switch {
	case file == "errors.yaml":
		return "errors"
	case path.Base(file) == "types.yaml":
		return "types"
	case strings.HasSuffix(file, ".test.yaml"):
		return "test"
	}
	return "endpoint"
}

// concerning are the problems of a file, and those of others that are not there
// without its new text.
func concerning(file string, now, before *engine.Survey) (all engine.Problems) {
	for _, p := range append(slices.Clone(now.Problems), now.Warnings...) {
		if p.File == file || !p.Warning && !slices.Contains(before.Problems, p) {
			all = append(all, p)
		}
	}
	return all
}

// headerOf tells what stands above the steps of an endpoint.
func headerOf(f *engine.Flow) Header {
	h := Header{
		About: f.About, Session: f.Session.String(), Groups: f.Groups, APIKey: f.APIKey.String(), Timeout: f.Timeout.String(), Tags: f.Tags,
		Enabled: f.Enabled, Answer: "json", Input: map[string]Part{}, Triggers: triggersOf(f),
	}
	if f.Sends {
		h.Answer = "events"
	}
	if f.Limit != nil {
		h.Limit = f.Limit.String()
	}
	for name, t := range map[string]*engine.Type{"path": f.Input.Path, "query": f.Input.Query, "headers": f.Input.Headers, "body": f.Input.Body} {
		if t != nil && (name == "body" || len(t.Props) > 0) {
			h.Input[name] = partOf(name, t)
		}
	}
	if f.Output != nil {
		out := fieldOf("output", f.Output, 0)
		h.Output = &out
	}
	for _, fail := range f.Fails {
		h.Fails = append(h.Fails, ErrorInfo{fail.Code, cmp.Or(fail.Status, rest.Status(fail.Kind)), fail.Message})
	}
	return h
}

func partOf(name string, t *engine.Type) Part {
	return Part{Field: fieldOf(name, t, 0), Sample: t.Example(false), Required: t.Example(true)}
}

// problems tells problems of files on the disk.
func (s *Studio) problems(all engine.Problems) (told []Problem) {
	texts := map[string]*places{}
	for _, p := range all {
		file := s.below(p.File)
		if _, ok := texts[file]; !ok {
			texts[file] = nil
			if data, err := fs.ReadFile(s.Files, file); err == nil {
				if tree, err := flowtext.Read(file, string(data)); err == nil {
					texts[file] = newPlaces(tree)
				}
			}
		}
		p.File = file
		text := ""
		if pl := texts[file]; pl != nil {
			text = pl.tree.S
		}
		told = append(told, marked(engine.Problems{p}, texts[file], text)...)
	}
	return told
}

// below is the name of a file as flows have it, where it may be one that can be
// opened from the working directory.
func (s *Studio) below(file string) string {
	if rel, ok := strings.CutPrefix(file, s.Dir+"/"); ok && s.Dir != "" {
		return rel
	}
	return file
}

// marked gives problems their places in a text.
func marked(all engine.Problems, p *places, text string) (told []Problem) {
	t := flowtext.New(text)
	for _, one := range all {
		made := Problem{File: one.File, Line: one.Line, Column: one.Column, Message: one.Message, Hint: one.Hint, Warning: one.Warning}
		from := t.At(one.Line, one.Column)
		made.To = made.Column + max(1, len([]rune(t.S[from:t.Word(from)])))
		if p != nil {
			made.Place, made.Field = p.at(from)
		}
		told = append(told, made)
	}
	return told
}
