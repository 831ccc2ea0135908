package mail

import (
	"context"
	"errors"
	"fmt"

	"sluice/engine"
	"sluice/nodes/user"
)

// Ways out of the nodes that send mail.
var (
	Busy    = engine.NewOutcome("busy", engine.Unavailable, "Too many mails wait to be sent. Try again in a few minutes.")
	Refused = engine.NewOutcome("refused", engine.Invalid, "Mail to this address is refused.")
	Away    = engine.NewOutcome("unavailable", engine.Unavailable, "No mail can be sent at the moment. Try again later.")
)

// Nodes returns the nodes that send mail by p.
func Nodes(p Post) []*engine.Node {
	send := engine.Define("mail.send", "Sends a mail that a template says. "+
		"With later it does not wait for the mail server, and nobody is told where that fails, but for the log.",
		p.send, user.InvalidEmail, Refused, Away, Busy).Calling("mail")
	return []*engine.Node{p.Known(send)}
}

// Known lets the parameter template of a node be a template that is there.
func (p Post) Known(n *engine.Node) *engine.Node {
	for _, prop := range n.In.Props {
		if prop.Name == "template" {
			prop.Type.Enum = p.Templates.Names()
		}
	}
	return n
}

type sendIn struct {
	To       string         `json:"to" doc:"Address of the reader."`
	Template string         `json:"template" doc:"Name of the template, a file of the folder mail without its ending."`
	Values   map[string]any `json:"values,omitzero" doc:"Values that the template wants."`
	Later    bool           `json:"later" default:"false" doc:"Do not wait until the mail server has taken the mail."`
}

func (p Post) send(ctx context.Context, in sendIn) (engine.None, error) {
	to, err := Address(in.To)
	if err != nil {
		return engine.None{}, user.InvalidEmail.Because(err)
	}
	m, err := p.Templates.Render(in.Template, to, in.Values)
	if err != nil {
		return engine.None{}, fmt.Errorf("making mail: %w", err)
	}
	if in.Later {
		if !p.Deliver(m) {
			return engine.None{}, Busy
		}
		return engine.None{}, nil
	}
	switch err := p.Sender.Send(ctx, m); {
	case errors.Is(err, ErrRefused):
		return engine.None{}, Refused.Because(err)
	case errors.Is(err, engine.ErrUnavailable):
		return engine.None{}, Away.Because(err)
	case err != nil:
		return engine.None{}, fmt.Errorf("sending mail: %w", err)
	}
	return engine.None{}, nil
}
