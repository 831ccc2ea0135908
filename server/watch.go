package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"

	"sluice/engine"
)

// A Reload is how loading the flows again went.
type Reload struct {
	Flows int // that are served now
	Took  time.Duration
	Err   error // why the last good version is still served, or nil
}

func (r Reload) log(l *slog.Logger) {
	if r.Err != nil {
		l.Error("flows not reloaded, still serving the last good version", "error", r.Err)
		return
	}
	l.Info("flows reloaded", "flows", r.Flows, "took", r.Took)
}

// Editors and git write a file in several steps, and many files one by one.
const (
	quiet   = 100 * time.Millisecond // without a change before flows are loaded again
	restive = time.Second            // after which they are loaded all the same
)

// reloadOnChange loads the flows again when their files change and on SIGHUP,
// until ctx ends.
func (s *Server) reloadOnChange(ctx context.Context) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	defer func() { s.watch.stop() }()

	var due <-chan time.Time
	var first time.Time // change since the last reload
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			due = time.After(0)
			continue
		case <-s.again:
			due = time.After(0)
			continue
		case e := <-s.watch.events():
			if !s.watch.concerns(e) {
				continue
			}
		case err := <-s.watch.errors():
			s.log.Warn("watching flows", "error", err) // changes may be missed, so look
		case <-due:
			due = nil
			s.reload(ctx)
			continue
		}
		if due == nil {
			first = time.Now()
		}
		due = time.After(min(quiet, time.Until(first.Add(restive))))
	}
}

func (s *Server) reload(ctx context.Context) {
	if s.watch != nil {
		if w := s.follow(); w != nil {
			s.watch.stop()
			s.watch = w
		}
	}
	began := time.Now()
	err := s.load(ctx)
	if found := (engine.Problems{}); errors.As(err, &found) && s.studio != nil {
		s.studio.Loaded(nil, nil, found)
	}
	s.reloaded(Reload{Flows: len(s.now.Served), Took: time.Since(began), Err: err})
}

// A watch tells about changes of the files below a folder. It follows the
// folders that are there when it is made; a new watch is made for each reload,
// so that folders may come, go, and be swapped for others. A nil watch is one
// that sees nothing.
type watch struct {
	*fsnotify.Watcher
	root string
}

// follow makes a watch of the flows. Where the system does not let it, it says
// so in the log and returns nil.
func (s *Server) follow() *watch {
	w, err := newWatch(s.flows.dir)
	if err != nil {
		s.log.Warn("flows are not watched, send SIGHUP to reload them", "error", err)
		return nil
	}
	return w
}

func newWatch(dir string) (*watch, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for flows: %w", err)
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("making a watch: %w", err)
	}
	w := &watch{notify, root}
	// The folder above tells when the root itself is replaced. Nothing is lost
	// but that where it cannot be read.
	_ = w.Add(filepath.Dir(root))
	err = fs.WalkDir(os.DirFS(root), ".", func(dir string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it is gone again, or loading it will say more
		case !d.IsDir():
			return nil
		case dir != "." && ignored(d.Name()):
			return fs.SkipDir
		}
		if err := w.Add(filepath.Join(root, dir)); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	if err != nil {
		w.stop()
		return nil, fmt.Errorf("watching folders: %w", err)
	}
	return w, nil
}

func (w *watch) stop() {
	if w != nil {
		w.Close() // nothing is lost by a watch that ends badly
	}
}

func (w *watch) events() <-chan fsnotify.Event {
	if w == nil {
		return nil
	}
	return w.Events
}

func (w *watch) errors() <-chan error {
	if w == nil {
		return nil
	}
	return w.Errors
}

// concerns tells whether an event can have changed what is loaded.
func (w *watch) concerns(e fsnotify.Event) bool {
	if e.Name != w.root && !strings.HasPrefix(e.Name, w.root+string(filepath.Separator)) {
		return false // beside the root
	}
	return e.Op != fsnotify.Chmod && (e.Name == w.root || !ignored(filepath.Base(e.Name)))
}

// ignored tells whether a name is that of something which loading leaves out:
// what begins with a dot or an underscore, and the copies of editors. ..data is
// what Kubernetes turns to swap all files of a mounted folder at once.
func ignored(name string) bool {
	return name != "..data" && (name[0] == '.' || name[0] == '_' || strings.HasSuffix(name, "~"))
}
