package studio

// A Run asks to run a flow.
type Run struct {
	File    string            `json:"file"`
	Text    *string           `json:"text"` // null for the one that is served
	Input   Input             `json:"input"`
	Session *Caller           `json:"session"` // null for none
	APIKey  bool              `json:"apiKey"`  // a key that is good for this run goes along
	Fakes   map[string]Canned `json:"fakes"`   // by place of the step: what it does in place of its node
	UpTo    string            `json:"upTo"`    // place of the last step to run; "" for all
	From    string            `json:"from"`    // place of the first step whose node runs: those before it do what they did in the run Again, or are made up
	Again   string            `json:"again"`   // id of the run whose outputs are used; "" for none
	Alone   bool              `json:"alone"`   // the run stops behind From
}

// Input is what the request holds.
type Input struct {
	Path    map[string]string   `json:"path"`
	Query   map[string][]string `json:"query"`
	Headers map[string]string   `json:"headers"`
	Body    raw                 `json:"body"` // null for none
}

// A Caller is whose session the run has: one of these.
type Caller struct {
	Token string `json:"token"` // of a session that there is
	User  string `json:"user"`  // id or e-mail address of a user, for whom a session is opened and ended behind the run
	Made  bool   `json:"made"`  // of nobody that there is: a made-up user id
	// Groups are those of a session that is opened or made.
	Groups []string `json:"groups"`
}

// Canned is what a step does in place of its node: one of these.
type Canned struct {
	Out     raw    `json:"out"`     // its output, or some of its properties; the others are made up
	Outcome string `json:"outcome"` // the way by which it leaves
	Error   string `json:"error"`   // something broken
}

// Ran is how a run went.
type Ran struct {
	ID       string    `json:"id"`       // to run again from one of its steps, while the server remembers it
	Problems []Problem `json:"problems"` // where the text does not compile; nothing ran then
	Trace    *Trace    `json:"trace"`    // null where nothing ran
}

// A Trace is what happened in one call, with secrets masked.
type Trace struct {
	ID      string       `json:"id"`
	File    string       `json:"file"`
	Name    string       `json:"name"`
	Time    string       `json:"time"` // RFC 3339
	Took    float64      `json:"took"` // milliseconds
	Request *RequestInfo `json:"request"`
	Answer  *AnswerInfo  `json:"answer"`  // null where the run stopped before
	Stopped string       `json:"stopped"` // place at which it was told to stop
	Steps   []TraceStep  `json:"steps"`   // in the order in which they began
	Events  []EventInfo  `json:"events"`  // that the flow sent
	Cut     bool         `json:"cut"`     // there were more steps than are kept
}

// A RequestInfo is what came in.
type RequestInfo struct {
	Method string `json:"method"`
	Path   string `json:"path"` // as called; of a live call the pattern
	Input  raw    `json:"input"`
	User   string `json:"user"` // id of the session's user; "" for none
}

// An AnswerInfo is what came out.
type AnswerInfo struct {
	Status  int         `json:"status"`
	Code    string      `json:"code"` // of the first error; "" for none
	Headers [][2]string `json:"headers"`
	Body    raw         `json:"body"` // JSON; a JSON text where the answer is something else
	Type    string      `json:"type"` // media type, "" for JSON
	Cause   string      `json:"cause"`
	Place   string      `json:"place"` // of the step that answered or failed
}

// A TraceStep is one time that the run came to a step.
type TraceStep struct {
	Place string  `json:"place"` // of the flow, or of the node flow that File names
	File  string  `json:"file"`
	Verb  string  `json:"verb"`
	Step  string  `json:"step"`  // id, or node or verb
	Nth   int     `json:"nth"`   // how often the run had come here before: rounds, attempts
	Depth int     `json:"depth"` // of node flows
	Way   string  `json:"way"`   // that it left by: ok, an outcome, then, else, a case ...; "" where it has but one
	In    raw     `json:"in"`    // parameters of a node
	Out   raw     `json:"out"`   // what it gave; null where it left by an outcome
	Start float64 `json:"start"` // milliseconds from the start of the run
	Took  float64 `json:"took"`  // milliseconds; 0 of what has no node
	Faked string  `json:"faked"` // "" for real, fake, recorded or made up
	Error string  `json:"error"` // why, where it broke
}

// An EventInfo is an event that was sent.
type EventInfo struct {
	Name string `json:"name"`
	ID   string `json:"id"`
	Data raw    `json:"data"`
}
