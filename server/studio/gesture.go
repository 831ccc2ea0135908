package studio

import (
	"context"
	"errors"
	"strings"

	"sluice/engine"
)

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

// maxEdits is how many gestures one call can hold.
const maxEdits = 200

func (s *Studio) edit(_ context.Context, in Gestures) (Edited, error) {
	if err := checkFile(in.File); err != nil {
		return Edited{}, err
	}
	if len(in.Edits) > maxEdits {
		return Edited{}, refused("bad_input", "One call holds %d gestures at most.", maxEdits)
	}
	survey, err := s.surveyed()
	if err != nil {
		return Edited{}, err
	}
	text, windows := strings.CutPrefix(in.Text, "\ufeff")
	text, returns := strings.ReplaceAll(text, "\r\n", "\n"), strings.Contains(in.Text, "\r\n")
	at := ""
	for _, g := range in.Edits {
		if text, at, err = gesture(survey, in.File, text, g); err != nil {
			return Edited{}, impossible(err)
		}
	}
	if returns {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if windows {
		text = "\ufeff" + text
	}
	sheet, err := s.sheet(in.File, text)
	return Edited{sheet, at}, err
}

// impossible says why a gesture cannot be made.
func impossible(err error) error {
	var failed *engine.Error
	var problems engine.Problems
	switch {
	case errors.As(err, &failed):
		return err
	case errors.As(err, &problems):
		return refused("not_yaml", "The text is not YAML at the moment: %s. Mend it in the editor first.", problems[0].Message)
	}
	return refused("no_gesture", "This cannot be done: %v.", err)
}
