package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"sluice/engine"
	"sluice/server"
)

func serveCommand() command {
	return command{
		name:  "serve",
		about: "Serves the flows of a folder over HTTP, and loads them again when their files change.",
		more: `What it says of itself goes to standard output, its log to standard error. A first
SIGINT or SIGTERM ends it in order, a second one at once. SIGHUP reloads the flows.

Examples:

  sluice serve
  sluice serve --addr :8080 --flows ./flows --data /var/lib/sluice
  SLUICE_LOG_FORMAT=json sluice serve
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			set := settingFlags(flags)
			return func(ctx context.Context, c *call) error {
				conf, problems, err := c.configure(set)
				if err := cmp.Or(err, problems.Err()); err != nil {
					return err
				}
				return c.serve(ctx, conf)
			}
		},
	}
}

func (c *call) serve(ctx context.Context, conf server.Config) error {
	began := time.Now()
	out := &console{w: c.Stdout, colour: coloured(c.Stdout, c.Getenv)}
	opts := append(c.options(), server.OnReload(out.reload), server.Log(slog.New(logHandler(c.Stderr, conf.LogFormat))))
	s, err := server.New(ctx, conf, opts...)
	if err != nil {
		var problems engine.Problems
		if errors.As(err, &problems) {
			fmt.Fprintln(c.Stderr, err)
			fmt.Fprintf(c.Stderr, "sluice: not started: %s\n", summed(problems))
			return errTold
		}
		return plainly(err, conf)
	}
	out.summary(s.Summary(), time.Since(began))
	if err := s.Run(ctx); err != nil {
		return err
	}
	out.print("stopped\n")
	return nil
}

func logHandler(w io.Writer, format string) slog.Handler {
	if format == "json" {
		return slog.NewJSONHandler(w, nil)
	}
	return slog.NewTextHandler(w, nil)
}

// plainly puts the failures that everybody meets into one sentence.
func plainly(err error, conf server.Config) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op) && errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use by another program; choose another address with --addr", op.Addr)
	case errors.As(err, &op) && errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%s cannot be listened on without more rights; choose a port from 1024 on with --addr", op.Addr)
	case errors.As(err, &op) && errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%s is no address of this machine; choose another with --addr", op.Addr)
	}
	var path *fs.PathError
	if errors.As(err, &path) && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) && conf.Store == "" {
		return fmt.Errorf("the data folder cannot be written: %s: %w; choose another with --data", filepath.Clean(path.Path), path.Err)
	}
	return err
}

// A console is where a server tells its owner how it is doing.
type console struct {
	mu     sync.Mutex
	w      io.Writer // guarded by mu
	colour bool
}

func (c *console) print(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	io.WriteString(c.w, text) // there is nowhere else to say that this failed
}

// paint writes text in a colour, given as an SGR parameter of ECMA-48.
func (c *console) paint(sgr, text string) string {
	if !c.colour {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

const (
	bold   = "1"
	cyan   = "36"
	yellow = "33"
	red    = "31"
)

// summary tells what was started.
func (c *console) summary(s server.Summary, took time.Duration) {
	var b strings.Builder
	line := func(name, text string) { fmt.Fprintf(&b, "  %-9s%s\n", name, text) }
	fmt.Fprintf(&b, "%s %s\n\n", c.paint(bold, "Sluice"), version())
	url, more := address(s.Addr)
	line("address", c.paint(cyan, url)+more)
	line("flows", flowsLine(s))
	line("store", s.Store)
	studio := "off"
	if s.Studio {
		studio = c.paint(cyan, url+"/_studio")
	}
	line("studio", studio)
	line("ready", "in "+millis(took))
	for _, note := range s.Notes {
		fmt.Fprintf(&b, "\n  %s\n", c.paint(yellow, note))
	}
	c.print(b.String() + "\n")
}

func flowsLine(s server.Summary) string {
	text := count(len(s.Served), "flow")
	if s.Dir == "" {
		text += " that come with Sluice, as there is no folder flows here"
	} else {
		text += " from " + s.Dir
	}
	if off := len(s.All) - len(s.Served); off > 0 {
		text += fmt.Sprintf(", %d not served", off)
	}
	if s.Watch {
		text += ", reloaded when they change"
	}
	return text
}

// address writes a bound address as a URL that a browser on this machine opens.
func address(a *net.TCPAddr) (url, more string) {
	host := a.IP.String()
	if a.IP.IsUnspecified() {
		host, more = "localhost", ", and every other address of this machine"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(a.Port)), more
}

// reload tells how loading the flows again went.
func (c *console) reload(r server.Reload) {
	var problems engine.Problems
	switch {
	case r.Err == nil:
		c.print(fmt.Sprintf("reloaded: %s in %s\n", count(r.Flows, "flow"), millis(r.Took)))
	case errors.As(r.Err, &problems):
		c.print(fmt.Sprintf("%v\n%s, still serving the last good version\n", r.Err, c.paint(red, summed(problems))))
	default:
		c.print(fmt.Sprintf("%s, still serving the last good version\n", c.paint(red, r.Err.Error())))
	}
}

// coloured tells whether a writer is a terminal whose owner does not mind colours.
func coloured(w io.Writer, getenv func(string) string) bool {
	f, isFile := w.(interface{ Stat() (fs.FileInfo, error) })
	if !isFile || getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&fs.ModeCharDevice != 0
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// millis writes a duration in whole milliseconds, one at least.
func millis(d time.Duration) string {
	return fmt.Sprintf("%d ms", max(1, d.Round(time.Millisecond).Milliseconds()))
}

// summed counts problems and the files that have them.
func summed(problems engine.Problems) string {
	files := map[string]bool{}
	for _, p := range problems {
		files[p.File] = true
	}
	return count(len(problems), "problem") + " in " + count(len(files), "file")
}
