package studio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"runtime/debug"
	"slices"
	"strings"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/server/lsp"
	"sluice/server/rest"
)

// analyze is that of the engine, where a panic is an error: half a flow must not end
// the studio's help for the whole one.
func (s *Studio) analyze(files fs.FS) (survey *engine.Survey, err error) {
	defer func() {
		if r := recover(); r != nil {
			survey, err = nil, fmt.Errorf("checking flows: %v\n%s", r, debug.Stack())
		}
	}()
	env, err := s.Env(files)
	if err != nil {
		return nil, err
	}
	return engine.Analyze(files, env)
}

// surveyed is what is known of the files on the disk.
func (s *Studio) surveyed() (*engine.Survey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.survey != nil {
		return s.survey, nil
	}
	survey, err := s.analyze(s.Files)
	if err != nil {
		return nil, fmt.Errorf("checking flows: %w", err)
	}
	s.survey = survey
	return survey, nil
}

// stale forgets what is known of the files.
func (s *Studio) stale() {
	s.mu.Lock()
	s.survey = nil
	s.mu.Unlock()
}

func (s *Studio) app(context.Context) (App, error) {
	survey, err := s.surveyed()
	if err != nil {
		return App{}, err
	}
	now := s.now()
	a := App{
		Name: s.Name, Version: s.Version, Mode: s.mode(), ReadOnly: s.ReadOnly || s.Dir == "", Dir: s.Dir, Mail: s.Mailbox != nil, AuditKinds: audit.Kinds(),
		Problems: s.problems(append(slices.Clone(survey.Problems), survey.Warnings...)), Served: len(survey.Problems) == 0 && len(now.problems) == 0,
		HeaderKeys: engine.HeaderKeys(), TypeWords: engine.TypeWords(), Formats: engine.Formats(),
	}
	if err := s.tree(&a, now); err != nil {
		return App{}, err
	}
	for _, n := range survey.Nodes {
		a.Nodes = append(a.Nodes, nodeInfo(n, survey.Files[n.Name]))
	}
	for _, e := range survey.Errors {
		a.Errors = append(a.Errors, ErrorInfo{e.Code, e.Status, e.Message})
	}
	for _, name := range slices.Sorted(maps.Keys(survey.Types)) {
		a.Types = append(a.Types, TypeInfo{Name: name, Field: fieldOf("", survey.Types[name], 0)})
	}
	for _, verb := range engine.Verbs() {
		a.Verbs = append(a.Verbs, VerbInfo{verb, lsp.StepDoc(verb), engine.StepKeys(verb)})
	}
	env, err := s.Env(s.Files)
	if err != nil {
		return App{}, err
	}
	a.Vars = slices.Sorted(maps.Keys(env.Vars))
	return a, nil
}

// tree fills in the files of the app.
func (s *Studio) tree(a *App, now loaded) error {
	groups := map[string]bool{}
	tested := map[string]bool{}
	err := fs.WalkDir(s.Files, ".", func(file string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil && errors.Is(err, fs.ErrNotExist):
			return nil // it went away meanwhile
		case err != nil:
			return err
		case file != "." && (name[0] == '.' || name[0] == '_'):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() && file != ".":
			a.Folders = append(a.Folders, file)
		case strings.HasSuffix(name, ".test.yaml"):
			tested[strings.TrimSuffix(file, ".test.yaml")+".yaml"] = true
			a.Others = append(a.Others, file)
		case file == "sluice.yaml": // settings of the server
		case file == "errors.yaml" || name == "types.yaml":
			a.Others = append(a.Others, file)
		case path.Ext(name) == ".yaml":
			entry, err := s.entry(file, now)
			if err != nil {
				return err
			}
			for _, g := range entry.Groups {
				groups[g] = true
			}
			a.Flows = append(a.Flows, entry)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing flows: %w", err)
	}
	for i := range a.Flows {
		f := &a.Flows[i]
		f.Tests = tested[f.File]
		for _, p := range a.Problems {
			switch {
			case p.File != f.File:
			case p.Warning:
				f.Warnings++
			default:
				f.Problems++
			}
		}
	}
	a.Groups = slices.Sorted(maps.Keys(groups))
	slices.SortFunc(a.Flows, func(a, b FlowEntry) int { return strings.Compare(a.File, b.File) })
	return nil
}

// entry is a flow of the tree: as it is served where it is, or else as its file
// can be read.
func (s *Studio) entry(file string, now loaded) (FlowEntry, error) {
	at := func(f *engine.Flow) bool { return f.File == file }
	e := FlowEntry{File: file, Served: slices.ContainsFunc(now.served, at)}
	survey, err := s.surveyed()
	if err != nil {
		return e, err
	}
	if f := survey.Flow(file); f != nil {
		h := headerOf(f)
		e.Name, e.About, e.Triggers, e.Session = triggerOf(f).String(), f.About, h.Triggers, h.Session
		e.Groups, e.APIKey, e.Tags, e.Enabled = f.Groups, h.APIKey, f.Tags, f.Enabled
		return e, nil
	}
	e.Enabled = true
	for name, of := range survey.Files {
		if of == file {
			e.Name = name
			for _, n := range survey.Nodes {
				if n.Name == name {
					e.About = n.Doc
				}
			}
		}
	}
	e.Name = cmp.Or(e.Name, strings.TrimSuffix(path.Base(file), ".yaml"))
	return e, nil
}

func nodeInfo(n *engine.Node, file string) NodeInfo {
	info := NodeInfo{
		Name: n.Name, Doc: n.Doc, File: file, Inputs: fieldsOf(n.In, 0), Outputs: fieldsOf(n.Out, 0), Outcomes: outcomesOf(n.Outcomes),
		Alternatives: n.Alternatives(), Reads: n.Touches.Reads, Writes: n.Touches.Writes, Calls: n.Touches.Calls, Example: n.Example,
	}
	info.Family, _, _ = strings.Cut(n.Name, ".")
	return info
}

func outcomesOf(all []*engine.Outcome) (infos []OutcomeInfo) {
	for _, o := range all {
		infos = append(infos, OutcomeInfo{o.Name, o.Kind.String(), rest.Status(o.Kind), o.Doc})
	}
	return infos
}

// deepest is how many levels of properties are told of a type.
const deepest = 5

func fieldsOf(t *engine.Type, depth int) (all []Field) {
	if t == nil || depth > deepest {
		return nil
	}
	for _, p := range t.Props {
		f := fieldOf(p.Name, p.Type, depth+1)
		f.Doc, f.Required, f.Deprecated, f.Examples = p.Doc, !p.Optional && !p.HasDefault, p.Notes.Deprecated, p.Notes.Examples
		if p.HasDefault {
			f.Default = &p.Default
		}
		all = append(all, f)
	}
	return all
}

func fieldOf(name string, t *engine.Type, depth int) Field {
	f := Field{
		Name: name, Type: lsp.Describe(t), Base: t.Base.String(), Named: t.Name, Format: t.Format, Enum: t.Enum, Min: t.Min, Max: t.Max,
		Secret: t.Secrecy != engine.Public, Proof: t.Nominal, Hint: t.Hint, Open: t.Open || t.More, Required: true,
	}
	if t.Pattern != nil {
		f.Pattern = t.Pattern.String()
	}
	f.Fields = fieldsOf(t, depth)
	if t.Base == engine.Array && t.Items != nil && depth <= deepest {
		item := fieldOf("", t.Items, depth+1)
		f.Items, f.Fields = &item, item.Fields
	}
	return f
}
