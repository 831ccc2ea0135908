// Package admin holds what the owner of a system does to its store by commands:
// users, sessions, API keys, the audit log, backups, checks. What changes something
// is an audit event.
//
// A command is a name, an input in JSON and an output, which is JSON but for a
// backup. A [Desk] does commands on a store that is open. Package control brings
// them to the desk of a server that has the store. Both are a [Carrier], so that
// whoever calls [Do] need not know who has the store.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/audit"
	"sluice/nodes/password"
	"sluice/server/store/health"
)

// A Carrier brings commands to a store. It is safe for many goroutines.
type Carrier interface {
	// Do does the command with a name and writes its output to out. What was
	// written before an error counts for nothing. A [Refusal] says that the
	// command cannot be done and why; any other error is one of the system.
	Do(ctx context.Context, name string, in []byte, out io.Writer) error
	// Close lets go of the store.
	Close() error
}

// A Refusal says why a command cannot be done, in words for its user.
type Refusal struct {
	Code    string `json:"code"` // as "notFound"
	Message string `json:"message"`
}

func (r *Refusal) Error() string { return r.Message }

// A Desk does commands on an open store.
type Desk struct {
	Stores  nodes.Stores
	Hasher  *password.Hasher
	Check   func(context.Context) []health.Finding // of the store
	Kind    string                                 // of the store, as "SQLite"
	Version string                                 // of Sluice
	Release func() error                           // lets go of the store; nil where the desk does not own it
}

var _ Carrier = (*Desk)(nil)

// A work does a command on a desk.
type work func(d *Desk, ctx context.Context, in []byte, out io.Writer) error

// works returns what does each command, by name. Names are those of the types of
// their inputs.
func works() map[string]work {
	return map[string]work{
		"user.list":     answered((*Desk).listUsers),
		"user.show":     answered((*Desk).showUser),
		"user.add":      answered((*Desk).addUser),
		"user.change":   answered((*Desk).changeUser),
		"user.password": answered((*Desk).setPassword),
		"user.delete":   answered((*Desk).deleteUser),
		"session.list":  answered((*Desk).listSessions),
		"session.end":   answered((*Desk).endSessions),
		"key.list":      answered((*Desk).listKeys),
		"key.add":       answered((*Desk).addKey),
		"key.change":    answered((*Desk).changeKey),
		"key.end":       answered((*Desk).endKey),
		"audit.list":    answered((*Desk).listEvents),
		"audit.verify":  answered((*Desk).verifyAudit),
		"store.check":   answered((*Desk).check),
		"store.backup":  (*Desk).backup,
	}
}

// Names returns the names of all commands, in order.
func Names() []string {
	var names []string
	for name := range works() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Do implements [Carrier].
func (d *Desk) Do(ctx context.Context, name string, in []byte, out io.Writer) error {
	w := works()[name]
	if w == nil {
		return &Refusal{"unknown", fmt.Sprintf("This release of Sluice knows no command %.40q.", name)}
	}
	if audit.RequestOf(ctx) == nil {
		ctx = audit.WithRequest(ctx, &audit.Request{Actor: audit.CommandLine})
	}
	err := w(d, ctx, in, out)
	if o, sentence := engine.Left(err); o != nil {
		return &Refusal{o.Name, sentence}
	}
	return err
}

// Close implements [Carrier].
func (d *Desk) Close() error {
	if d.Release == nil {
		return nil
	}
	return d.Release()
}

// Do does a command by c with an input and an output in Go.
func Do[Out any](ctx context.Context, c Carrier, name string, in any) (out Out, err error) {
	sent, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("encoding the input of %s: %w", name, err)
	}
	var b bytes.Buffer
	if err := c.Do(ctx, name, sent, &b); err != nil {
		return out, err
	}
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		return out, fmt.Errorf("decoding the output of %s: %w", name, err)
	}
	return out, nil
}

// answered makes a work of a method with input and output.
func answered[In, Out any](do func(*Desk, context.Context, In) (Out, error)) work {
	return func(d *Desk, ctx context.Context, sent []byte, out io.Writer) error {
		var in In
		if err := read(sent, &in); err != nil {
			return err
		}
		made, err := do(d, ctx, in)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(made); err != nil {
			return fmt.Errorf("writing the output: %w", err)
		}
		return nil
	}
}

// read reads an input, which may come from another release.
func read(sent []byte, in any) error {
	d := json.NewDecoder(bytes.NewReader(sent))
	d.DisallowUnknownFields()
	err := d.Decode(in)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something stands behind it")
		}
	}
	if err != nil {
		return &Refusal{"badInput", fmt.Sprintf("The input of the command cannot be read: %v. Are command and server of one release?", err)}
	}
	return nil
}
