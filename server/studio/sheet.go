package studio

// A Draft is a text that is not saved.
type Draft struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// A Sheet is everything that is known of one text.
type Sheet struct {
	File     string    `json:"file"`
	Text     string    `json:"text"`
	Revision string    `json:"revision"` // of the file on the disk; "" where there is none
	Kind     string    `json:"kind"`     // endpoint, node, errors, types, test or none (no YAML, or another file)
	Readable bool      `json:"readable"` // it is YAML; without that there are no steps and no drawing
	Problems []Problem `json:"problems"` // of this text, and of others where it is to blame
	Header   *Header   `json:"header"`   // null where the file is no flow
	Steps    []Step    `json:"steps"`
	Drawing  *Drawing  `json:"drawing"` // null without steps
}

// A Header is what stands above the steps, as far as it could be read.
type Header struct {
	About    string          `json:"about"`
	Triggers []Trigger       `json:"triggers"`
	Node     string          `json:"node"` // name of a node flow; "" for an endpoint
	Session  string          `json:"session"`
	Groups   []string        `json:"groups"`
	APIKey   string          `json:"apiKey"`
	Limit    string          `json:"limit"`   // in words, as in 20/min per ip, $body.email
	Timeout  string          `json:"timeout"` // as in 30s
	Tags     []string        `json:"tags"`
	Enabled  bool            `json:"enabled"`
	Answer   string          `json:"answer"` // json or events
	Input    map[string]Part `json:"input"`  // path, query, headers, body, and params of a node; only those that there are
	Output   *Field          `json:"output"`
	Outcomes []OutcomeInfo   `json:"outcomes"` // of a node flow
	Fails    []ErrorInfo     `json:"fails"`    // what it can answer beside its responds
	Places   map[string]Span `json:"places"`   // of the keys that are written
}

// A Part is what a flow takes from one part of a request.
type Part struct {
	Field        // as a whole
	Sample   raw `json:"sample"`   // made up: a value that a request could hold
	Required raw `json:"required"` // the same with only what is required
}

// A Span is where something stands: from line and column up to, not including, another.
type Span struct {
	Line     int `json:"line"`
	Column   int `json:"column"`
	ToLine   int `json:"toLine"`
	ToColumn int `json:"toColumn"`
}

// A Step is one step of the text.
type Step struct {
	Place    string       `json:"place"` // as in steps/2/then/0
	Verb     string       `json:"verb"`
	ID       string       `json:"id"`     // "" without one
	Node     string       `json:"node"`   // of the verb node, also of one that is not known
	Known    bool         `json:"known"`  // the node is in the catalogue
	Word     string       `json:"word"`   // what stands behind the verb, in short: condition, list, code, event
	Status   int          `json:"status"` // of respond
	When     *string      `json:"when"`   // condition of when:, null without one
	Names    []string     `json:"names"`  // that a let gives
	Span     Span         `json:"span"`
	Values   []Value      `json:"values"`   // what is written behind each key, but for those that hold steps
	Outcomes []RouteInfo  `json:"outcomes"` // of a node, in its order
	Branches []BranchInfo `json:"branches"` // that hold steps or could: in the order of the text
	Scope    []ScopeName  `json:"scope"`    // what references can begin with in front of the step; empty in flows of more than a hundred steps
	Inputs   []Field      `json:"inputs"`   // parameters of the node
	Outputs  []Field      `json:"outputs"`  // what the step gives: that of a data.get is of its collection
}

// A Value is something written in a step.
type Value struct {
	Place string  `json:"place"` // as in steps/2/with/email
	Key   string  `json:"key"`   // below the step, as in with/email
	Text  string  `json:"text"`  // as it stands in the file, with its quotes
	Plain any     `json:"plain"` // as data: a text, number, boolean, null; lists and objects of these
	Kind  string  `json:"kind"`  // literal, reference, expression, text (with references in it), list or object
	Span  Span    `json:"span"`
	Name  Span    `json:"keySpan"` // of the key itself
	Type  *string `json:"type"`    // of a reference that is known, in a few words; else null
}

// A RouteInfo is an outcome of a step's node, and where it leads.
type RouteInfo struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`
	Status int    `json:"status"`
	Doc    string `json:"doc"`
	To     string `json:"to"`    // continue, block, or "" where the flow ends
	Place  string `json:"place"` // as in steps/1/on/notFound
}

// A BranchInfo is a block inside a step.
type BranchInfo struct {
	Place string `json:"place"` // of the list, as in steps/1/on/notFound or steps/3/then; append /0 for its first step
	Role  string `json:"role"`  // on, then, else, case, do, lane, try, catch, finally or undo
	Name  string `json:"name"`  // of the outcome, the case, the lane or the code
	GoOn  bool   `json:"goOn"`  // on: continue
	Count int    `json:"count"` // of its steps
	There bool   `json:"there"` // false for one that could be added, as an else
}

// A ScopeName is what references can begin with.
type ScopeName struct {
	Name     string `json:"name"` // without the dollar sign
	Type     string `json:"type"`
	Optional bool   `json:"optional"` // may be absent
	Place    string `json:"place"`    // of the step that sets it; "" for what the flow takes
}

// A Drawing is the flow laid out top to bottom, in pixels. Edges never cross boxes.
type Drawing struct {
	Width  int       `json:"width"`
	Height int       `json:"height"`
	Boxes  []Box     `json:"boxes"`
	Edges  []EdgeRow `json:"edges"`
	Slots  []Slot    `json:"slots"` // where a step can be put
}

// A Box is something drawn. Its id is unique in the drawing, and stays the same as
// long as its place does.
type Box struct {
	ID       string `json:"id"`    // start, its place, PLACE#when, PLACE#OUTCOME for the end of an outcome that nobody routes, PLACE#frame
	Place    string `json:"place"` // of its step; "" for start
	Kind     string `json:"kind"`  // start, node, let, send, choice (if, switch, when), fork (parallel), frame (each, try, finally), answer, end (of an unrouted outcome)
	Verb     string `json:"verb"`
	X        int    `json:"x"`
	Y        int    `json:"y"`
	W        int    `json:"w"`
	H        int    `json:"h"`
	Title    string `json:"title"`
	Subtitle string `json:"subtitle"`
	Family   string `json:"family"`  // of a node: user, password ...; the icon
	Colour   int    `json:"colour"`  // 0 to 7 by the family, 8 for what is no node
	Status   int    `json:"status"`  // of answers and ends; 0 where it is not known
	Class    string `json:"class"`   // of answers and ends: good, refused, broken or other
	Outcome  string `json:"outcome"` // of an end
}

// An EdgeRow is a line between boxes, with its corners.
type EdgeRow struct {
	ID     string   `json:"id"`
	From   string   `json:"from"` // id of the box that it leaves
	To     string   `json:"to"`   // id of the box that it leads to; "" where it leaves a frame or the drawing
	Way    string   `json:"way"`  // out of its step: ok, an outcome, then, else, a case, a lane, do, a code that is caught, undo, next
	Label  string   `json:"label"`
	Kind   string   `json:"kind"`   // flow, route, back (comes back to the spine), thick (a lane), undo, end (an unrouted outcome), goOn (on: continue)
	Points [][2]int `json:"points"` // two at least; every part is level or upright
	Arrow  bool     `json:"arrow"`
	Mark   *[2]int  `json:"mark"` // the base line of the label: its left, or with centred its middle
	Centre bool     `json:"centred"`
}

// A Slot is a place between steps, where one can be dropped.
type Slot struct {
	Place string `json:"place"` // that the new step gets, as in steps/2
	X     int    `json:"x"`
	Y     int    `json:"y"`
	Empty bool   `json:"empty"` // of a block without steps
}
