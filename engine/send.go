package engine

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"
)

// An Event is what a send gives to the caller while its flow still runs.
type Event struct {
	Name string // as in progress; letters, digits, _ and -
	ID   string // by which a caller can say how far it got; "" for none, and without line breaks
	Data []byte // JSON in one line
}

// A Sent is a sort of event that a flow can send: one send in its text.
type Sent struct {
	Name string
	ID   bool  // it has an id
	Data *Type // as it is written in JSON
}

// eventStream is the media type of an answer that is made of events.
const eventStream = "text/event-stream"

// maxStreamTimeout bounds what a flow that sends events may ask for.
const maxStreamTimeout = time.Hour

// Bounds of what one run may send.
const (
	maxEvents     = 10_000
	maxEventBytes = 16 << 20 // of the data of all events
)

var eventName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,63}$`)

// An outlet is where the events of a run go, those of its lanes one by one.
type outlet struct {
	send func(context.Context, Event) error

	mu     sync.Mutex
	events int // sent so far; guarded by mu
	bytes  int // of their data; guarded by mu
}

func (c *compiler) send(st *step) {
	switch {
	case c.params != nil:
		c.problem(st.pos, "return gives a value back, and the flow that calls the node can send it", "a flow with node: does not send")
	case !c.Sends:
		c.problem(st.pos, "write answer: events above the steps", "this flow answers once and does not send")
	case c.final != "":
		c.problem(st.pos, "", "%s cannot send", c.final)
	}
	switch {
	case st.word == "error":
		c.problem(st.wordAt, "fail: CODE ends the flow with one", "an event named error is sent where the flow fails")
	case st.word != "" && !eventName.MatchString(st.word):
		c.problem(st.wordAt, "letters, digits, _ and -, as in progress", "%q cannot be the name of an event", st.word)
	}
	o := op{code: opSend, event: st.word, pos: st.pos, step: "send " + st.word}
	sent := Sent{Name: st.word, ID: st.eventID != nil, Data: &Type{}}
	if st.eventID != nil {
		o.eventID = c.eventIDOf(st.eventID)
	}
	if st.value != nil {
		o.json = c.jsonPieces(st.value, nil)
		sent.Data = c.written(st.value)
	} else if !st.misspelt {
		c.problem(st.pos, "as in data: {done: $index}", "send has no data")
	}
	c.Events = append(c.Events, sent)
	c.emit(o)
	c.state.sent = true
}

// eventIDOf compiles the id of an event: a text in one line.
func (c *compiler) eventIDOf(v *value) []textPart {
	switch v.kind {
	case literalValue:
		text, ok := v.lit.(string)
		if !ok {
			text = string(appendAny(nil, v.lit))
		}
		return []textPart{{text: string(escapeHeader(nil, text))}}
	case refValue:
		return c.textParts([]rawPart{{path: v.path, at: v.pos}}, escapeHeader, "eventId", c.shown())
	case textValue:
		return c.textParts(v.parts, escapeHeader, "eventId", c.shown())
	case brokenValue:
		return nil
	}
	c.problem(v.pos, "a text, a reference or a text with references; let: can compute one", "eventId must be a text")
	return nil
}

// closing checks a respond of a flow that sends: where an event may have been
// sent, status and headers are gone, and a respond can but end the events. It
// tells whether that is what the respond does.
func (c *compiler) closing(st *step) bool {
	bare := st.status == 200 && st.value == nil && st.file == nil
	if c.state.sent && (!bare || st.redirect != nil || len(st.header)+len(st.cookies) > 0) {
		c.problem(st.pos, "respond: 200 without anything else ends the events", "an event was sent above, and with it the status and the headers")
	}
	return bare
}

// sends tells whether a step, or one inside it, sends.
func (st *step) sends() bool {
	if st.verb == "send" {
		return true
	}
	for _, b := range st.blocks {
		if b.block.sends() {
			return true
		}
	}
	return false
}

func (b *block) sends() bool {
	if b == nil {
		return false
	}
	for _, st := range b.steps {
		if st.sends() {
			return true
		}
	}
	return false
}

// answerKey reads what the flow answers with.
func (d *draft) answerKey(e entry) {
	words := []string{"json", "events"}
	text, ok := d.text(e.value, "answer")
	if !ok {
		return
	}
	if d.Sends = text == words[1]; !d.Sends && text != words[0] {
		d.problem(d.at(e.value), DidYouMean(text, words), "answer cannot be %q", text)
	}
}

// completeEvents checks what stands above the steps of a flow that sends.
func (d *draft) completeEvents(given map[string]entry) {
	longest := maxTimeout
	if d.Sends {
		longest = maxStreamTimeout
		if e, ok := given["repeat"]; ok {
			d.problem(e.at, "remove it", "events are sent once, and cannot be kept to be repeated")
		}
		if e, ok := given["output"]; ok {
			d.problem(e.at, "remove it; send says what it sends", "an answer of events has no body")
			d.Output = nil // so that its bodies are no second mistake
		}
		if d.steps != nil && !d.steps.sends() {
			d.problem(given["answer"].at, "as in - send: progress, with data: {done: 1}", "the flow answers with events and sends none")
		}
	}
	if e, ok := given["timeout"]; ok && d.Timeout > longest {
		d.problem(d.at(e.value), "", "timeout can be at most %s", durationText(longest))
	}
}

// listen says where the events of a run go.
func (r *run) listen(send func(context.Context, Event) error) {
	if send != nil {
		r.out = &outlet{send: send}
	}
}

// send sends an event, and waits until it was taken.
func (r *run) send(ctx context.Context, o *op, f frame) *Error {
	if err := r.spend(ctx, o); err != nil {
		return err
	}
	e := Event{Name: o.event, ID: joinParts(o.eventID, f)}
	var failure error
	if e.Data, failure = appendPieces(nil, o.json, f); failure != nil {
		return o.failure(ctx, failure)
	}
	if r.out == nil {
		return nil // nobody listens
	}
	r.out.mu.Lock()
	defer r.out.mu.Unlock()
	r.out.events++
	r.out.bytes += len(e.Data)
	if r.out.events > maxEvents || r.out.bytes > maxEventBytes {
		return o.error(Fail(Invalid, "too_much_work", fmt.Sprintf("The request asks for more than %d events, or %d MiB of them.", maxEvents, maxEventBytes>>20)), nil)
	}
	if err := r.out.send(ctx, e); err != nil {
		return o.broken(ctx, err)
	}
	return nil
}
