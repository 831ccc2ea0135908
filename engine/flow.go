package engine

import "time"

// SessionMode says what an endpoint wants of the caller's session.
type SessionMode uint8

const (
	SessionNone     SessionMode = iota // $session does not exist
	SessionOptional                    // $session may be absent
	SessionRequired                    // a caller without a live session is refused
)

var sessionModes = []string{SessionNone: "none", SessionOptional: "optional", SessionRequired: "required"}

func (m SessionMode) String() string { return sessionModes[m] }

// KeyMode says what an endpoint wants of the caller's API key.
type KeyMode uint8

const (
	KeyNone     KeyMode = iota // $apiKey does not exist
	KeyOptional                // $apiKey may be absent; a key that is sent must be good
	KeyRequired                // a caller without a good key is refused
)

var keyModes = []string{KeyNone: "none", KeyOptional: "optional", KeyRequired: "required"}

func (m KeyMode) String() string { return keyModes[m] }

// A Flow is a compiled flow file. It does not change after [Load].
type Flow struct {
	File      string // slash-separated, relative to where it was loaded from
	About     string
	Method    string
	Path      string   // with {names}, of which the last can be a {name...} for all the rest
	Params    []string // the names in Path, in order
	Session   SessionMode
	Fresh     time.Duration // how long ago the caller's identity was proved at most; 0 where that does not matter
	Groups    []string      // access groups of which a session must have one; empty for any
	APIKey    KeyMode
	ClientKey bool // callers name their application by its public key, which proves nothing
	Timeout   time.Duration
	Limit     *Limit  // nil for none
	Repeat    *Repeat // nil where each call runs
	Tags      []string
	Enabled   bool
	Input     Input
	Output    *Type  // of a successful answer, where the flow declares it; else nil
	Sends     bool   // it answers with events
	Events    []Sent // in the order of the text
	Fails     []Failure
	Replies   []Reply // in the order of the text
	Steps     []Step  // as written
	Program   *Program
	Places    map[string]Pos // of what stands behind each key at the top

	pathPos Pos
}

// Input is what a flow takes from a request. Path, Query and Headers are nil
// where it takes nothing there, and so is Body.
type Input struct {
	Path, Query, Headers, Body *Type
}

// A Failure is an error that a flow can answer with.
type Failure struct {
	Code    string
	Kind    Kind
	Status  int    // 0 where the Kind decides
	Message string // a sentence for callers; the node may say another one
}

// A Limit is how often a flow may be called by the same caller.
type Limit struct {
	Rate int           // calls
	Each time.Duration // in this time
	Per  []string      // what makes callers the same, as written
	key  []textPart    // the same, compiled
}

// Key appends what the caller is told apart by to b.
func (l *Limit) Key(b []byte, in Inputs) []byte {
	f := in.frame(0)
	for _, part := range l.key {
		b = part.append(b, f)
		b = append(b, 0)
	}
	return b
}

// A Repeat says how a call is known for a repetition of an earlier one, which is
// answered as that one was, without running again.
type Repeat struct {
	Header string        // whose value is the same
	Keep   time.Duration // how long an answer is kept
}

// A Declared is an error that flows can fail with, from flows/errors.yaml.
type Declared struct {
	Code    string
	Status  int
	Message string
}

func (d Declared) error() *Error {
	e := Fail(kindOf(d.Status), d.Code, d.Message)
	e.Status = d.Status
	return e
}

// kindOf is the kind that a declared status stands for.
func kindOf(status int) Kind {
	switch status {
	case 401:
		return Unauthenticated
	case 403:
		return Forbidden
	case 404, 410:
		return NotFound
	case 409:
		return Conflict
	case 429:
		return TooMany
	case 503:
		return Unavailable
	case 504:
		return Timeout
	}
	if status >= 500 {
		return Internal
	}
	return Invalid
}
