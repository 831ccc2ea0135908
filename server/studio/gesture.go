package studio

// Gestures change a text. Each sees the text that those before it made.
type Gestures struct {
	File  string    `json:"file"`
	Text  string    `json:"text"`
	Edits []Gesture `json:"edits"`
}

// A Gesture is one change, written as splices of the text: what it is not about stays
// byte for byte, comments too. Do is one of
//
//	set     writes Value behind the key or into the list item At, which is made where it is not there:
//	        steps/2/with/email, steps/2/if, session, input/body/email, steps/0/headers/X-Note
//	unset   removes the key or item At, and the mapping around it where it was the only one
//	name    gives the key At another name To; references to an input field or a let follow
//	insert  puts a step in front of the one that is At now, or behind the last one of a block: steps/2,
//	        steps/1/on/notFound/0. A block that is not there is made. The step is Node with its
//	        required parameters as far as only one reference fits, or Verb, or YAML, one step as a text
//	move    puts the step At to the place To, as it was before the move; its comments come along
//	copy    puts a copy of the step At to the place To; its id becomes a free one
//	delete  removes the step At with its comments
//	rename  gives the step At the id To (steps/2, or a let by steps/2/let/total); references follow
//	route   leads the outcome Outcome of the step At to To: continue, fail (with the error Code), or "" for nowhere
//	wrap    puts the step At into a new step Verb: if, each, try
type Gesture struct {
	Do      string `json:"do"`
	At      string `json:"at"`
	To      string `json:"to,omitempty"`
	Value   raw    `json:"value,omitempty"` // JSON; a text such as $body.email is a reference as in YAML
	Node    string `json:"node,omitempty"`
	Verb    string `json:"verb,omitempty"`
	YAML    string `json:"yaml,omitempty"`
	Outcome string `json:"outcome,omitempty"`
	Code    string `json:"code,omitempty"`
}

// Edited is the sheet of the text that gestures made.
type Edited struct {
	Sheet
	At string `json:"at"` // place of what the last gesture made or moved; "" where it removed
}

// A Question asks what could stand at a place. It is one of a field of a step, for
// forms, and a line and column, for the editor of the text.
type Question struct {
	File   string `json:"file"`
	Text   string `json:"text"`
	Place  string `json:"place"` // as in steps/2/with/email, whether it is there or not
	Line   int    `json:"line"`
	Column int    `json:"column"` // in front of which the cursor is
}

// Offers are what could stand at a place, the best first.
type Offers struct {
	Offers []Offer `json:"offers"`
}

// An Offer is a text that could stand there.
type Offer struct {
	Label  string `json:"label"`
	Text   string `json:"text"`   // what is written
	From   int    `json:"from"`   // column from which it stands in place of what is there, up to the cursor; 0 for a field
	Kind   string `json:"kind"`   // reference, value, node, key, code, type, word
	Detail string `json:"detail"` // its type, in a few words
	Doc    string `json:"doc"`
	Fits   bool   `json:"fits"` // of a field: its type is the one wanted; others come behind
}
