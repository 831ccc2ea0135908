// Package studio is the server half of the visual studio at /_studio: it draws
// flows, changes their texts by gestures, saves, runs, tests and watches them.
// The text of a flow is the only truth; the page in the browser holds a text and
// shows what this package says of it.
//
// # The page
//
//	GET /_studio             index.html of dist, which finds its way by the fragment: /_studio#/flow/auth/sign-in.yaml
//	GET /_studio/NAME        each file of dist, flat, with an ETag; app.js.gz stands in for app.js where the browser takes gzip
//	GET /_studio/mail        the mailbox as a page of its own, and mail.json as data
//
// Pages come with the policy default-src 'self': no script is inline. Styles may be, and
// images may be data:.
//
// # The API
//
// Every call carries the header X-Studio: 1, and comes from the studio's own
// page. On localhost in development nothing else is asked for. Elsewhere a call
// carries a session of the group that the setting studio-group names, as every call
// to a flow does: in the header Session, or in the cookie. What changes something is
// refused with 403 read_only where the studio is set to read only.
//
// Answers are JSON, lists are never null, and failures have the shape of all failures
// of the server: {"errors":[{"origin","code","message","details?"}]}. Paths are
// below /_studio/api:
//
//	GET  access                                     → Access; the only one that needs no session
//	GET  app                                        → App
//	GET  flow?file=FILE                             → Sheet, with the text and revision of the disk
//	POST flow/draw      Draft                       → Sheet of a text that is not saved
//	POST flow/edit      Gestures                    → Sheet of the text that they make
//	POST flow/complete  Question                    → Offers
//	POST flow/format    Draft                       → Sheet of the formatted text
//	POST flow/save      Save                        → Saved; 409 changed_on_disk with the details Theirs
//	POST flow/delete    Removal                     → Saved; 409 as well
//	POST flow/rename    Renaming                    → Saved; 409 as well, and 409 exists
//	POST run            Run                         → Ran
//	POST test/keep      Keep                        → Kept; a test that does not pass is not written
//	GET  tests                                      → TestReport of the last run of all; 404 no_report before
//	POST tests          TestRun                     → events: file with a TestFile each, then report with the TestReport
//	GET  live                                       → events: first state with LiveState, then call with LiveCall, stats with []FlowStats, reload with Reload
//	GET  trace?id=ID                                → Trace of a call of live
//	POST do/COMMAND     the command's input         → its output; the commands of package admin, but for store.backup
//	GET  mail                                       → {"mails":[...]} as /_studio/mail.json
//	GET  openapi                                    → the OpenAPI document of what is served
//
// The commands are user.list {after?, limit}, user.show {user}, user.add {email, password, name?, groups?},
// user.change {user, disabled?, groups?}, user.password {user, password}, user.delete {user},
// session.list {user, after?, limit}, session.end {user, id | all}, key.list {after?, limit},
// key.add {name, scope, endpoints?, expires?}, key.change {id, suspended}, key.end {id}, audit.list {since?, kinds?, user?, after?, limit},
// audit.verify {heads?}, store.check {}.
//
// # Places
//
// A place in a flow is the way to it in the YAML, as in steps/2/on/notFound/0 for
// a step, or steps/2/with/email for a value; "" is the flow itself. A slash in
// a key is written ~1, and a tilde ~0. Lines and columns are from 1, columns count
// characters. Files are slash-separated from the folder of the flows.
package studio

import (
	"io/fs"
	"log/slog"
	"sync"

	"sluice/engine"
	"sluice/nodes/mail"
	"sluice/server/admin"
	"sluice/server/endpoint"
	"sluice/server/flowtest"
)

// Settings are what the studio of a server works with.
type Settings struct {
	Name     string // of the application
	Version  string // of Sluice
	Dir      string // folder of the flows, absolute; "" for those that come with Sluice
	Files    fs.FS  // the same
	ReadOnly bool
	Group    string // that a session must have; "" where this machine needs none and others get nothing
	Every    int    // one call of so many is traced; 1 for all

	Env     func(files fs.FS) (engine.Env, error) // what flows can use, with the nodes that work on the store
	Deps    endpoint.Deps                         // of the endpoints
	Desk    *admin.Desk
	Mailbox *mail.Mailbox                              // nil where mails are sent
	Tests   func(files fs.FS) (*flowtest.Suite, error) // of the flows in files
	Reload  func()                                     // asks for the files to be loaded soon, where nobody watches them
	Log     *slog.Logger
}

// A Studio is the server half. It is safe for many goroutines.
type Studio struct {
	Settings
	texts   texts
	saving  sync.Mutex // one file at a time is changed
	runs    *recordings
	watch   *live
	testing sync.Mutex // one run of tests at a time

	mu     sync.Mutex
	loaded loaded         // guarded by mu
	survey *engine.Survey // guarded by mu; of the files, nil where they may have changed
	report *TestReport    // guarded by mu; of the last tests, nil before
}

// loaded is what is served.
type loaded struct {
	all, served []*engine.Flow
	problems    engine.Problems // that keep the last good version; none where the files are served
}

// New makes a studio that knows no flows yet.
func New(set Settings) *Studio {
	set.Every = max(1, set.Every)
	s := &Studio{Settings: set, runs: newRecordings()}
	s.watch = newLive(set.Every, s.placesOf)
	return s
}

// Loaded tells the studio what is served from now on, or with problems why the
// last good version still is.
func (s *Studio) Loaded(all, served []*engine.Flow, problems engine.Problems) {
	s.mu.Lock()
	if problems == nil {
		s.loaded.all, s.loaded.served = all, served
	}
	s.loaded.problems, s.survey = problems, nil
	n := len(s.loaded.served)
	s.mu.Unlock()
	s.watch.reloaded(Reload{Flows: n, Problems: s.problems(problems)})
}

func (s *Studio) now() loaded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loaded
}

// MaxBody is how long a body of a call can be, in bytes; that of no studio is none.
func (s *Studio) MaxBody() int {
	if s == nil {
		return 0
	}
	return maxBody
}
