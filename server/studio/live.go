package studio

// LiveState is the first event of live.
type LiveState struct {
	Calls []LiveCall  `json:"calls"` // the last ones, newest first
	Stats []FlowStats `json:"stats"`
	Every int         `json:"every"` // one call of so many has a trace
}

// A LiveCall is a call of an endpoint.
type LiveCall struct {
	ID     string  `json:"id"` // for trace?id=
	File   string  `json:"file"`
	Method string  `json:"method"`
	Path   string  `json:"path"` // the pattern
	Time   string  `json:"time"`
	Took   float64 `json:"took"` // milliseconds
	Status int     `json:"status"`
	Code   string  `json:"code"`
}

// FlowStats are counts of one flow since the server began or was asked last,
// whichever is later than a quarter of an hour ago.
type FlowStats struct {
	File  string      `json:"file"`
	Calls int         `json:"calls"`
	Fails int         `json:"fails"` // answered with 400 or more
	Broke int         `json:"broke"` // of these, with 500 or more
	P50   float64     `json:"p50"`   // milliseconds
	P99   float64     `json:"p99"`
	Steps []StepStats `json:"steps"` // of the calls that have a trace
}

// StepStats are counts of one step.
type StepStats struct {
	Place string         `json:"place"`
	Runs  int            `json:"runs"`
	P50   float64        `json:"p50"`
	P99   float64        `json:"p99"`
	Ways  map[string]int `json:"ways"` // how often each was taken
}
