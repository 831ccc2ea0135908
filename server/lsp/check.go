package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"slices"

	"sluice/engine"
)

func (s *server) didOpen(p openParams) (any, error) {
	d := &document{uri: p.TextDocument.URI, version: p.TextDocument.Version, text: newText(p.TextDocument.Text)}
	file := pathOf(d.uri)
	name, ok := below(s.main, file)
	dir := s.main
	if !ok && file != "" {
		dir = flowsAround(file)
		name, ok = below(dir, file)
		ok = ok && dir != ""
	}
	if ok && isFlow(name) {
		d.name, d.folder = name, s.folderIn(dir)
		s.touch(d.folder)
	}
	s.documents[d.uri] = d
	return nil, nil
}

func (s *server) didChange(p changeParams) (any, error) {
	d := s.documents[p.TextDocument.URI]
	if d == nil || len(p.ContentChanges) == 0 {
		return nil, nil
	}
	d.version = p.TextDocument.Version
	d.text = newText(p.ContentChanges[len(p.ContentChanges)-1].Text)
	s.touch(d.folder)
	return nil, nil
}

func (s *server) didClose(p closeParams) (any, error) {
	if d := s.documents[p.TextDocument.URI]; d != nil {
		delete(s.documents, d.uri)
		s.touch(d.folder)
	}
	return nil, nil
}

// folderIn returns the folder of a directory, made on its first use.
func (s *server) folderIn(dir string) *folder {
	if s.folders[dir] == nil {
		s.folders[dir] = &folder{dir: dir, env: s.env, told: map[string]bool{}}
	}
	return s.folders[dir]
}

// touch has a folder checked when nothing changed for a moment.
func (s *server) touch(f *folder) {
	if f != nil {
		f.stale = true
		s.timer.Reset(pause)
	}
}

// files are those of a folder, with the texts of the editor in place of the disk's.
func (s *server) files(f *folder) fs.FS {
	o := overlay{os.DirFS(f.dir), map[string]string{}}
	for _, d := range s.documents {
		if d.folder == f {
			o.open[d.name] = d.S
		}
	}
	return o
}

// surveyed is a folder that was checked, and what its files were then.
type surveyed struct {
	*folder
	survey   *engine.Survey
	err      error
	files    fs.FS
	versions map[string]int // of documents
}

// check begins to check the folders that changed. One that is being checked still is
// checked again when it is done.
func (s *server) check(ctx context.Context) {
	for _, f := range s.folders {
		if !f.stale || f.busy {
			continue
		}
		if f.survey != nil && f.survey.Flows >= many {
			s.ahead(f)
		}
		f.stale, f.busy = false, true
		done := surveyed{folder: f, files: s.files(f), versions: map[string]int{}}
		for _, d := range s.documents {
			if d.folder == f {
				done.versions[d.name] = d.version
			}
		}
		env := f.env
		s.running.Go(func() {
			done.survey, done.err = analyze(done.files, env)
			select {
			case s.surveys <- done:
			case <-ctx.Done():
			}
		})
	}
}

// many is how many flows make a folder whose check takes so long that the open
// files are told of ahead of it.
const many = 500

// ahead tells the problems that the open files of a folder have by themselves.
func (s *server) ahead(f *folder) {
	now := surveyed{folder: f, files: s.files(f), versions: map[string]int{}}
	for _, d := range s.documents {
		if d.folder != f || d.ahead == d.version || slices.Contains([]string{"errors.yaml", "types.yaml", "sluice.yaml"}, d.name) {
			continue
		}
		d.ahead, now.versions[d.name] = d.version, d.version
		_, problems := f.survey.Read(d.name, []byte(d.S))
		if err := s.tell(now, d.name, problems); err != nil {
			s.log.Warn("telling problems", "error", err)
		}
	}
}

// analyze is that of the engine, where a panic is an error: half a flow must not end
// the editor's help for the whole one.
func analyze(files fs.FS, env engine.Env) (survey *engine.Survey, err error) {
	defer func() {
		if r := recover(); r != nil {
			survey, err = nil, fmt.Errorf("checking flows: %v\n%s", r, debug.Stack())
		}
	}()
	return engine.Analyze(files, env)
}

// publish tells the editor what a survey found out.
func (s *server) publish(ctx context.Context, done surveyed) error {
	f := done.folder
	f.busy = false
	if f.stale {
		defer s.check(ctx)
	}
	if done.err != nil {
		if !errors.Is(done.err, fs.ErrNotExist) { // a project can begin without the folder
			s.log.Warn("checking flows", "folder", f.dir, "error", done.err)
		}
		return nil
	}
	f.survey = done.survey
	for _, d := range s.documents {
		if d.folder == f {
			d.refresh()
		}
	}
	byFile := map[string][]engine.Problem{}
	for _, p := range slices.Concat(done.survey.Problems, done.survey.Warnings) {
		byFile[p.File] = append(byFile[p.File], p)
	}
	for name := range f.told {
		if byFile[name] == nil {
			byFile[name] = []engine.Problem{}
		}
	}
	for name := range done.versions {
		if byFile[name] == nil {
			byFile[name] = []engine.Problem{}
		}
	}
	for name, problems := range byFile {
		if err := s.tell(done, name, problems); err != nil {
			return err
		}
	}
	return nil
}

// tell publishes the problems of one file.
func (s *server) tell(done surveyed, name string, problems []engine.Problem) error {
	t, _ := done.read(done.files, name)
	d := diagnostics{URI: done.uri(name), Diagnostics: []diagnostic{}}
	if version, open := done.versions[name]; open {
		d.Version = &version
		for _, doc := range s.documents { // by the name that the editor has for it
			if doc.folder == done.folder && doc.name == name {
				d.URI = doc.uri
			}
		}
	}
	for _, p := range problems {
		from := t.At(p.Line, p.Column)
		severity := 1
		if p.Warning {
			severity = 2
		}
		text := p.Message
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		d.Diagnostics = append(d.Diagnostics, diagnostic{t.span(from, t.Word(from)), severity, "sluice", text})
	}
	done.told[name] = len(problems) > 0
	if len(problems) == 0 {
		delete(done.told, name)
	}
	params, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("telling problems: %w", err)
	}
	return s.wire.send(message{Method: "textDocument/publishDiagnostics", Params: params})
}

// known surveys a folder where that was not done yet.
func (s *server) known(f *folder) {
	if f.survey == nil {
		survey, err := analyze(s.files(f), f.env)
		if err != nil {
			s.log.Warn("checking flows", "folder", f.dir, "error", err)
			return
		}
		f.survey = survey
	}
}

// refresh reads the document's own text against what is known of the others.
func (d *document) refresh() {
	if d.folder.survey == nil {
		return
	}
	if sheet, _ := d.folder.survey.Read(d.name, []byte(d.S)); sheet != nil {
		d.sheet = sheet
	}
}

// document returns an open flow file with all that is known of it, or nil.
func (s *server) document(uri string) *document {
	d := s.documents[uri]
	if d == nil || d.folder == nil {
		return nil
	}
	s.known(d.folder)
	d.refresh()
	return d
}
