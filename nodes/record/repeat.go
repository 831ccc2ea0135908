package record

import (
	"errors"
	"time"

	"sluice/engine"
	"sluice/nodes/repeat"
)

// A Repeat is the claim of a call, with the answer where the call has run.
type Repeat struct {
	Call    Bytes     `json:"call"`
	Request Bytes     `json:"request"`
	Token   Bytes     `json:"token"`
	Until   time.Time `json:"until"`
	Answer  *Answer   `json:"answer,omitempty"`
}

// An Answer is an answer that is kept.
type Answer struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers,omitempty"` // names and values
	Body    *[]byte     `json:"body,omitempty"`    // in base64; nil for none, which is not the same as no bytes
	Type    string      `json:"type,omitempty"`
}

// RepeatOf returns the record of a claim, with the answer or nil.
func RepeatOf(c repeat.Claim, a *engine.Answer) *Repeat {
	r := &Repeat{Call: Bytes(c.Call[:]), Request: Bytes(c.Request[:]), Token: Bytes(c.Token[:]), Until: moment(c.Until)}
	if a == nil {
		return r
	}
	r.Answer = &Answer{Status: a.Status, Type: a.Type}
	for _, h := range a.Headers {
		r.Answer.Headers = append(r.Answer.Headers, [2]string{h.Name, h.Value})
	}
	if a.Body != nil {
		body := append([]byte{}, a.Body...)
		r.Answer.Body = &body
	}
	return r
}

// Repeat returns the claim, and the answer or nil.
func (r *Repeat) Repeat() (repeat.Claim, *engine.Answer) {
	c := repeat.Claim{Call: repeat.Hash(r.Call), Request: repeat.Hash(r.Request), Token: [16]byte(r.Token), Until: r.Until}
	if r.Answer == nil {
		return c, nil
	}
	a := &engine.Answer{Status: r.Answer.Status, Type: r.Answer.Type}
	for _, h := range r.Answer.Headers {
		a.Headers = append(a.Headers, engine.Header{Name: h[0], Value: h[1]})
	}
	if r.Answer.Body != nil {
		a.Body = append([]byte{}, *r.Answer.Body...)
	}
	return c, a
}

// Kind is "repeat".
func (*Repeat) Kind() string { return "repeat" }

// Check says why the record cannot be one of any store, or returns nil.
func (r *Repeat) Check() error {
	if len(r.Call) != 32 || len(r.Request) != 32 || len(r.Token) != 16 {
		return errors.New("its hashes or its token have a wrong length")
	}
	if r.Answer != nil && r.Answer.Status == 0 {
		return errors.New("its answer has no status")
	}
	return nil
}
