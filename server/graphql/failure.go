package graphql

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"sluice/engine"
	"sluice/server/endpoint"
)

// The statuses of answers. What a flow fails with is 200: the rest of the answer
// is there.
const (
	statusOK      = 200
	statusRefused = 400
	statusUnlet   = 401
)

// A failure is one of the errors of an answer.
type failure struct {
	Code       int         `json:"code,omitzero"` // status, where the caller is not let in; clients look for it here
	Message    string      `json:"message"`
	Locations  []location  `json:"locations,omitzero"`
	Path       []any       `json:"path,omitzero"` // texts and numbers
	Extensions *extensions `json:"extensions,omitempty"`
}

type location struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// extensions say what failed, for programs.
type extensions struct {
	Code    string          `json:"code"`
	Details json.RawMessage `json:"details,omitempty"`
}

// Codes by which clients know what the server itself refuses at a field. What a
// flow fails with keeps its own code.
const (
	forbidden = "ForbiddenError"
	badInput  = "UserInputError"
)

// failures is the body of an answer that has no data.
func failures(list []failure) []byte {
	text, err := json.Marshal(map[string]any{"errors": list})
	if err != nil {
		panic("graphql: " + err.Error()) // texts and valid JSON marshal
	}
	return text
}

// fail notes that the flow of a field failed, each thing that is wrong by itself.
// What is the server's fault goes to the log, and its cause nowhere but there.
func (x *execution) fail(ctx context.Context, f *field, err error) {
	var e *engine.Error
	told := errors.As(err, &e) && len(e.Items) > 0 && (e.Kind != engine.Internal || e.Status != 0)
	if !told || e.Err != nil && (e.Kind == engine.Unavailable || e.Kind == engine.Timeout) {
		x.tell(ctx, f, err)
	}
	if !told {
		details, _ := json.Marshal(map[string]string{"requestId": x.caller.ID}) // cannot fail
		x.add(f, failure{Message: "Internal server error", Extensions: &extensions{Code: "internal_error", Details: details}})
		return
	}
	for _, item := range e.Items {
		code := item.Code
		switch {
		case code == "invalid_input":
			code = badInput
		case e.Kind == engine.Forbidden && e.Pos.File == "", endpoint.Unlet(err): // a key where a session is wanted
			code = forbidden
		}
		ext := &extensions{Code: code}
		if json.Valid(item.Details) {
			ext.Details = item.Details
		}
		x.add(f, failure{Message: item.Message, Extensions: ext})
	}
}

func (x *execution) tell(ctx context.Context, f *field, err error) {
	x.mount.log.LogAttrs(ctx, slog.LevelError, "request failed",
		slog.String("request", x.caller.ID), slog.String("field", x.work.op+" "+f.name), slog.String("route", "POST "+x.mount.path),
		slog.String("error", err.Error()))
}

// add notes a failure at a field of the root.
func (x *execution) add(f *field, e failure) {
	e.Locations, e.Path = []location{f.at}, []any{f.key}
	x.failures = append(x.failures, e)
}
