package studio

import "sluice/nodes/audit"

// App is the application as a whole.
type App struct {
	Name       string       `json:"name"`
	Version    string       `json:"version"`
	Mode       string       `json:"mode"` // development or production
	ReadOnly   bool         `json:"readOnly"`
	Dir        string       `json:"dir"`     // folder of the flows; "" for those that come with Sluice, which cannot be changed
	Folders    []string     `json:"folders"` // all of them, as in auth and auth/second-factor, without the root
	Flows      []FlowEntry  `json:"flows"`   // in the order of their files
	Others     []string     `json:"others"`  // errors.yaml, types.yaml and *.test.yaml that there are
	Nodes      []NodeInfo   `json:"nodes"`   // by name
	Errors     []ErrorInfo  `json:"errors"`  // of errors.yaml
	Types      []TypeInfo   `json:"types"`   // that flows can use by name
	Groups     []string     `json:"groups"`  // access groups that flows name
	Vars       []string     `json:"vars"`    // environment variables that flows can read
	Problems   []Problem    `json:"problems"`
	Served     bool         `json:"served"` // the files are served as they are; false where a mistake keeps the last good version
	Verbs      []VerbInfo   `json:"verbs"`
	HeaderKeys []string     `json:"headerKeys"` // of an endpoint's flow, in the order in which flows have them
	TypeWords  []string     `json:"typeWords"`
	Formats    []string     `json:"formats"`
	Mail       bool         `json:"mail"`       // there is a mailbox for development
	AuditKinds []audit.Kind `json:"auditKinds"` // of the events of the audit log
}

// A FlowEntry is a flow in the tree.
type FlowEntry struct {
	File     string    `json:"file"`
	Name     string    `json:"name"` // POST /auth/sign-in, or account.welcome of a node
	About    string    `json:"about"`
	Triggers []Trigger `json:"triggers"` // none for a node
	Session  string    `json:"session"`  // required, optional or none; "" for a node
	Groups   []string  `json:"groups"`
	APIKey   string    `json:"apiKey"`
	Tags     []string  `json:"tags"`
	Enabled  bool      `json:"enabled"`
	Served   bool      `json:"served"`
	Problems int       `json:"problems"`
	Warnings int       `json:"warnings"`
	Tests    bool      `json:"tests"` // there is a file of tests beside it
}

// A NodeInfo is what a node takes and gives.
type NodeInfo struct {
	Name         string        `json:"name"`
	Family       string        `json:"family"` // user of user.fetch
	Doc          string        `json:"doc"`
	File         string        `json:"file"` // of a node that is a flow; "" otherwise
	Inputs       []Field       `json:"inputs"`
	Outputs      []Field       `json:"outputs"`
	Outcomes     []OutcomeInfo `json:"outcomes"`
	Alternatives [][]string    `json:"alternatives"` // groups of inputs of which exactly one is given
	Reads        []string      `json:"reads"`
	Writes       []string      `json:"writes"`
	Calls        []string      `json:"calls"`
	Example      string        `json:"example"` // a step, in YAML
}

// A Field is a parameter, a result or a property.
type Field struct {
	Name       string   `json:"name"`
	Doc        string   `json:"doc"`
	Type       string   `json:"type"`  // in a few words, as in string (email), secret
	Base       string   `json:"base"`  // any, string, boolean, integer, number, object or array
	Named      string   `json:"named"` // its name, as in User; "" for none
	Format     string   `json:"format"`
	Enum       []string `json:"enum"`
	Min        *float64 `json:"min"`
	Max        *float64 `json:"max"`
	Pattern    string   `json:"pattern"`
	Required   bool     `json:"required"`
	Default    *string  `json:"default"`    // as text
	Secret     bool     `json:"secret"`     // never shown
	Proof      bool     `json:"proof"`      // only values of this very type fit, as a proven user id
	Hint       string   `json:"hint"`       // where a value of such a type comes from
	Fields     []Field  `json:"fields"`     // of an object, or of the items of a list
	Open       bool     `json:"open"`       // an object of any properties
	Items      *Field   `json:"items"`      // of a list
	Deprecated bool     `json:"deprecated"` //
	Examples   []any    `json:"examples"`
}

// An OutcomeInfo is a way out of a node that is not success.
type OutcomeInfo struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`   // notFound, invalid ...
	Status int    `json:"status"` // of the answer where no on: routes it
	Doc    string `json:"doc"`
}

// An ErrorInfo is an error that flows can fail with.
type ErrorInfo struct {
	Code    string `json:"code"`
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// A TypeInfo is a type that flows can use by name.
type TypeInfo struct {
	Name       string `json:"name"`
	Collection bool   `json:"collection"` // documents of it are kept
	Field             // what it is; without a name of its own
}

// A VerbInfo is what a step can do.
type VerbInfo struct {
	Verb string   `json:"verb"`
	Doc  string   `json:"doc"`
	Keys []string `json:"keys"` // of its steps, the verb first
}

// A Problem is a mistake, or with warning what works and is better done otherwise.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	To      int    `json:"to"` // column behind what is marked, on the same line
	Message string `json:"message"`
	Hint    string `json:"hint"` // what to do about it, or ""
	Warning bool   `json:"warning"`
	Place   string `json:"place"` // of the step that it is in; "" for the flow itself
	Field   string `json:"field"` // below the step, as in with/email; "" for the step as a whole
}

// Reload tells that the files were loaded again.
type Reload struct {
	Flows    int       `json:"flows"` // that are served
	Problems []Problem `json:"problems"`
}
