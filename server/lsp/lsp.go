// Package lsp is a language server for flow files: an editor starts it, and
// speaks the Language Server Protocol with it over its standard input and output.
//
//	wire.go       messages and their headers; protocol.go the messages that are used
//	lsp.go        the loop: one message after the other
//	check.go      problems of all files, a moment after the last change
//	folder.go     files, as the editor has them (overlay.go) or the disk
//	text.go       places: bytes here, UTF-16 in editors, characters in problems
//	tree.go       what stands where in a file; place.go the same while it is written
//	complete.go   hover.go   definition.go   rename.go   symbol.go
//
// All that is told comes from the engine's own checker ([engine.Analyze]), so an
// editor says what sluice check says.
//
// The protocol is written by hand: of the libraries for Go, the one that has its
// types was last released in 2022, and what a maintained one for JSON-RPC alone would
// save is the seventy lines of wire.go.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"sluice/engine"
)

// An Opener finds the folder of the flows of a project, and what flows in it can use.
// The root is the folder that the editor has open, or "".
type Opener func(root string) (dir string, env engine.Env, err error)

// pause is how long a file is left alone before it is checked.
const pause = 100 * time.Millisecond

// A server serves one editor. Its loop owns everything in it.
type server struct {
	wire      *wire
	open      Opener
	log       *slog.Logger
	root      string
	env       engine.Env
	main      string // folder of the flows
	ready     bool   // initialize was answered
	ending    bool   // shutdown was answered
	watching  bool   // the editor tells of changes on the disk where asked to
	documents map[string]*document
	folders   map[string]*folder
	timer     *time.Timer
	surveys   chan surveyed
	running   sync.WaitGroup
}

// ErrUnannounced is the end of an editor that exits without a shutdown before.
var ErrUnannounced = errors.New("the editor went away without saying so")

// Serve serves an editor until it exits, its input ends or ctx does. A read of in that
// is under way then is left to itself.
func Serve(ctx context.Context, in io.Reader, out io.Writer, open Opener, log *slog.Logger) error {
	s := &server{
		wire: newWire(in, out), open: open, log: log, documents: map[string]*document{}, folders: map[string]*folder{},
		timer: time.NewTimer(pause), surveys: make(chan surveyed),
	}
	s.timer.Stop()
	ctx, cancel := context.WithCancel(ctx)
	defer s.running.Wait()
	defer cancel()
	incoming := s.listen(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-incoming:
			if end, err := s.take(ctx, m); end || err != nil {
				return err
			}
		case <-s.timer.C:
			s.check(ctx)
		case done := <-s.surveys:
			if err := s.publish(ctx, done); err != nil {
				return err
			}
		}
	}
}

// An arrival is a message, or why there is none.
type arrival struct {
	*message
	err error
}

func (s *server) listen(ctx context.Context) <-chan arrival {
	incoming := make(chan arrival)
	go func() {
		for {
			m, err := s.wire.receive()
			select {
			case incoming <- arrival{m, err}:
			case <-ctx.Done():
				return
			}
			if err != nil && !errors.Is(err, errGarbled) || err == nil && m.Method == "exit" {
				return
			}
		}
	}()
	return incoming
}

// take handles one message; end is true behind the last one.
func (s *server) take(ctx context.Context, m arrival) (end bool, err error) {
	switch {
	case errors.Is(m.err, errGarbled):
		return false, s.wire.send(message{ID: null, Error: &failure{parseError, m.err.Error()}})
	case errors.Is(m.err, io.EOF):
		if s.ending {
			return true, nil
		}
		return true, ErrUnannounced
	case m.err != nil:
		return true, m.err
	case m.Method == "exit":
		if s.ending {
			return true, nil
		}
		return true, ErrUnannounced
	case m.Method == "":
		return false, nil // an answer; none is waited for
	}
	result, err := s.handle(ctx, m.message)
	if m.ID == nil {
		if err != nil {
			s.log.Warn("handling "+m.Method, "error", err)
		}
		return false, nil
	}
	answer := message{ID: m.ID, Result: result}
	var f *failure
	switch {
	case errors.As(err, &f):
		answer = message{ID: m.ID, Error: f}
	case err != nil:
		answer = message{ID: m.ID, Error: &failure{internalError, err.Error()}}
	case result == nil:
		answer.Result = null
	}
	return false, s.wire.send(answer)
}

// handle handles a request or a notification. A panic is a bug, but none that should
// cost the author the editor's help.
func (s *server) handle(ctx context.Context, m *message) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("handling "+m.Method, "panic", r, "stack", string(debug.Stack()))
			result, err = nil, fmt.Errorf("handling %s: %v", m.Method, r)
		}
	}()
	switch {
	case s.ending:
		return nil, &failure{invalidRequest, "the server is shutting down"}
	case m.Method == "initialize":
		return decoded(m, s.initialize)
	case !s.ready:
		if m.ID == nil {
			return nil, nil // the protocol wants it dropped
		}
		return nil, &failure{notInitialized, "initialize comes first"}
	}
	switch m.Method {
	case "initialized":
		s.initialized()
	case "shutdown":
		s.ending = true
	case "textDocument/didOpen":
		return decoded(m, s.didOpen)
	case "textDocument/didChange":
		return decoded(m, s.didChange)
	case "textDocument/didClose":
		return decoded(m, s.didClose)
	case "textDocument/didSave":
	case "workspace/didChangeWatchedFiles":
		s.reopen()
	case "textDocument/completion":
		return decoded(m, s.complete)
	case "textDocument/hover":
		return decoded(m, s.hover)
	case "textDocument/definition":
		return decoded(m, s.definition)
	case "textDocument/prepareRename":
		return decoded(m, s.prepareRename)
	case "textDocument/rename":
		return decoded(m, s.rename)
	case "textDocument/documentSymbol":
		return decoded(m, s.symbols)
	default:
		if m.ID != nil {
			return nil, &failure{unknownMethod, "there is no method " + m.Method}
		}
	}
	return nil, ctx.Err()
}

// decoded calls a handler with the parameters of a message.
func decoded[P any](m *message, handler func(P) (any, error)) (any, error) {
	var p P
	if err := json.Unmarshal(m.Params, &p); err != nil {
		return nil, &failure{invalidParams, fmt.Sprintf("reading parameters of %s: %v", m.Method, err)}
	}
	return handler(p)
}

func (s *server) initialize(p initializeParams) (any, error) {
	switch {
	case len(p.WorkspaceFolders) > 0:
		s.root = pathOf(p.WorkspaceFolders[0].URI)
	case p.RootURI != nil:
		s.root = pathOf(*p.RootURI)
	}
	s.watching = p.Capabilities.Workspace.DidChangeWatchedFiles.DynamicRegistration
	if err := s.configure(); err != nil {
		return nil, &failure{requestFailed, err.Error()}
	}
	s.ready = true
	type object = map[string]any
	return object{
		"capabilities": object{
			"positionEncoding":       "utf-16",
			"textDocumentSync":       object{"openClose": true, "change": 1}, // whole texts
			"completionProvider":     object{"triggerCharacters": []string{"$", ".", "{", ":", " "}},
			"hoverProvider":          true,
			"definitionProvider":     true,
			"renameProvider":         object{"prepareProvider": true},
			"documentSymbolProvider": true,
		},
		"serverInfo": object{"name": "sluice"},
	}, nil
}

// configure reads the settings of the project.
func (s *server) configure() error {
	dir, env, err := s.open(s.root)
	if err != nil {
		return fmt.Errorf("reading settings: %w", err)
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("looking for flows: %w", err)
	}
	s.main, s.env = dir, env
	return nil
}

// initialized checks the whole folder once, and asks to be told of files that change on the disk.
func (s *server) initialized() {
	s.touch(s.folderIn(s.main))
	if !s.watching {
		return
	}
	ask := message{ID: json.RawMessage("1"), Method: "client/registerCapability", Params: json.RawMessage(
		`{"registrations":[{"id":"files","method":"workspace/didChangeWatchedFiles","registerOptions":{"watchers":[{"globPattern":"**/*.yaml"}]}}]}`)}
	if err := s.wire.send(ask); err != nil {
		s.log.Warn("asking for changes of files", "error", err)
	}
}

// reopen reads everything again that could have changed on the disk. Settings that
// cannot be read leave those before in place.
func (s *server) reopen() {
	if err := s.configure(); err != nil {
		s.log.Warn("reading settings again", "error", err)
	}
	s.folderIn(s.main)
	for _, f := range s.folders {
		f.env = s.env
		s.touch(f)
	}
}
