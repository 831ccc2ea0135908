package studio

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"sluice/engine"
	"sluice/server/admin"
	"sluice/server/endpoint"
	"sluice/server/openapi"
)

// looks are the commands that change nothing. A backup is none that the page is given:
// it holds the hashes of everything.
var looks = []string{"user.list", "user.show", "session.list", "key.list", "audit.list", "audit.verify", "store.check"}

// command does a command of package admin.
func (s *Studio) command(ctx context.Context, r *endpoint.Request) (any, error) {
	name := r.Params[0]
	if !slices.Contains(admin.Names(), name) || name == "store.backup" {
		return nil, missing("There is no command of this name.")
	}
	if s.ReadOnly && !slices.Contains(looks, name) {
		return nil, engine.Fail(engine.Forbidden, "read_only", "The studio of this server shows things, and changes nothing.")
	}
	in := r.Body
	if len(in) == 0 {
		in = []byte("{}")
	}
	var out bytes.Buffer
	if err := s.Desk.Do(ctx, name, in, &out); err != nil {
		return nil, plainly(err)
	}
	return raw(bytes.TrimSpace(out.Bytes())), nil
}

// plainly makes a refusal of a command a failure that the page can show.
func plainly(err error) error {
	var no *admin.Refusal
	if !errors.As(err, &no) {
		return err
	}
	kind := engine.Invalid
	if no.Code == "notFound" {
		kind = engine.NotFound
	}
	return engine.Fail(kind, no.Code, no.Message)
}

// openapi describes what is served.
func (s *Studio) openapi(context.Context) (raw, error) {
	text, err := openapi.Document(openapi.Info{Title: s.Name, Version: "1"}, s.now().served)
	return raw(text), err
}
