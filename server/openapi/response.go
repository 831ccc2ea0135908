package openapi

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sluice/engine"
	"sluice/server/endpoint"
	"sluice/server/rest"
)

const eventStream = "text/event-stream"

// refused is the component that describes failures of the server around the flows.
const refused = "Refused"

// replies describes the answers of a flow by status.
func (c *components) replies(f *engine.Flow) map[string]object {
	all := map[string]object{}
	for _, r := range f.Replies {
		status := strconv.Itoa(r.Status)
		res := all[status]
		if res == nil {
			res = object{"description": cmp.Or(http.StatusText(r.Status), "An answer") + "."}
			all[status] = res
		}
		for _, name := range r.Headers {
			setHeader(res, name, object{"schema": object{"type": "string"}})
		}
		if f.Repeat != nil {
			setHeader(res, endpoint.Replayed, object{
				"description": "There where the answer was given before, and is given again.", "schema": object{"const": "true"},
			})
		}
		switch {
		case r.Media == eventStream:
			setContent(res, r.Media, c.events(f))
		case r.Media != "":
			setContent(res, r.Media, object{})
		case r.Body != nil:
			setContent(res, "application/json", c.answered(r.Body))
		}
	}
	return all
}

// events describes what a flow sends: each event as an object of its fields, with
// its data as JSON. A failure behind the first event is one as well.
func (c *components) events(f *engine.Flow) object {
	var kinds []object
	add := func(name string, id bool, data object) {
		props := object{"event": object{"const": name}, "data": data}
		if id {
			props["id"] = object{"type": "string"}
		}
		kind := object{"type": "object", "properties": props, "required": []string{"event", "data"}}
		if !slices.ContainsFunc(kinds, func(k object) bool { return equal(k, kind) }) {
			kinds = append(kinds, kind)
		}
	}
	for _, e := range f.Events {
		add(e.Name, e.ID, c.answered(e.Data))
	}
	add("error", false, object{"$ref": "#/components/schemas/Errors"})
	return object{"description": "An event of the stream, its data as JSON. What fails behind the first one is an event named error.", "oneOf": kinds}
}

func setHeader(res object, name string, header object) {
	headers, _ := res["headers"].(object)
	if headers == nil {
		headers = object{}
		res["headers"] = headers
	}
	headers[name] = header
}

// setContent adds a body that a response can have.
func setContent(res object, media string, s object) {
	content, _ := res["content"].(object)
	if content == nil {
		content = object{}
		res["content"] = content
	}
	old, there := content[media].(object)
	if !there {
		content[media] = object{"schema": s}
		return
	}
	is, _ := old["schema"].(object)
	bodies, several := is["anyOf"].([]object)
	if !several {
		bodies = []object{is}
	}
	if !equal(is, s) && !slices.ContainsFunc(bodies, func(b object) bool { return equal(b, s) }) {
		content[media] = object{"schema": object{"anyOf": append(bodies, s)}}
	}
}

// A failure is one error that an endpoint can answer with.
type failure struct {
	status        int
	code, message string
}

// failures describes the errors of a flow by status. Beside a status of its own
// stands what the server itself refuses with that status.
func failures(f *engine.Flow) map[string]object {
	all := append(general(f), own(f)...)
	byStatus := map[int][]failure{}
	for _, fail := range all {
		byStatus[fail.status] = append(byStatus[fail.status], fail)
	}
	for _, e := range rest.Refusals() {
		if fail := failureOf(e); byStatus[fail.status] != nil {
			byStatus[fail.status] = append(byStatus[fail.status], fail)
		}
	}
	described := map[string]object{}
	for status, list := range byStatus {
		res := failing(http.StatusText(status)+".", list)
		switch status {
		case http.StatusUnauthorized:
			setHeader(res, "WWW-Authenticate", object{"schema": object{"type": "string"}})
		case http.StatusConflict, http.StatusTooManyRequests, http.StatusServiceUnavailable:
			if status == http.StatusConflict && f.Repeat == nil {
				break
			}
			setHeader(res, "Retry-After", object{"description": "Seconds after which it may work.", "schema": object{"type": "integer", "minimum": 1}})
		}
		described[strconv.Itoa(status)] = res
	}
	return described
}

func failureOf(e *engine.Error) failure {
	return failure{cmp.Or(e.Status, rest.Status(e.Kind)), e.Items[0].Code, e.Items[0].Message}
}

// own are the errors that the steps of a flow can end in.
func own(f *engine.Flow) []failure {
	var all []failure
	for _, fail := range f.Fails {
		all = append(all, failure{cmp.Or(fail.Status, rest.Status(fail.Kind)), fail.Code, fail.Message})
	}
	return all
}

// general are the errors that what stands above the steps brings with it, and
// those that any run can end in.
func general(f *engine.Flow) []failure {
	all := []failure{{400, "invalid_input", "A part of the request is missing, wrong or not known."}}
	add := func(when bool, status int, code, message string) {
		if when {
			all = append(all, failure{status, code, message})
		}
	}
	risks := f.Program.Risks()
	add(risks.Expressions, 400, "expression_failed", "The request does not fit what is computed from it.")
	add(risks.Loops, 400, "too_much_work", "The request asks for more steps than a call may take.")
	add(f.ClientKey, 401, "invalid_client_key", "The client key is missing or not valid.")
	add(f.APIKey == engine.KeyRequired, 401, "missing_API_key", "This endpoint needs an API key.")
	add(f.APIKey != engine.KeyNone, 401, "invalid_API_key", "The API key is not valid.")
	add(f.APIKey != engine.KeyNone, 403, "insufficient_scope", "The API key is not for this endpoint.")
	add(f.Session == engine.SessionRequired, 401, "missing_session_token", "This endpoint needs a session. Sign in first.")
	add(f.Session != engine.SessionNone, 401, "invalid_session_token", "The session has ended. Sign in again.")
	add(len(f.Groups) > 0, 403, "missing_access_group", "You do not have the rights for this.")
	add(f.Fresh > 0, 403, "reauth_required", "Confirm who you are first, then try again.")
	add(f.Repeat != nil, 409, "request_in_progress", "The same request is being worked on. Try again in a moment.")
	add(f.Repeat != nil, 422, "idempotency_key_reused", "Another request came under this name before.")
	add(f.Limit != nil, 429, "rate_limit_exceeded", "Too many requests. Try again later.")
	add(f.Sends, 429, "too_many_streams", "There are too many open streams to your address.")
	add(f.Sends, 503, "too_many_streams", "The server has too many open streams.")
	add(risks.Nodes || f.Session != engine.SessionNone || f.APIKey != engine.KeyNone || f.Repeat != nil, 503, "unavailable", "The service is busy or away. Try again in a moment.")
	add(risks.Nodes || risks.Loops || f.Sends, 504, "timeout", "The request took longer than it may.")
	return all
}

// refusals describes the failures that do not depend on a flow.
func refusals() object {
	all := []failure{{500, "internal_error", "Something went wrong on our side."}}
	for _, e := range rest.Refusals() {
		all = append(all, failureOf(e))
	}
	return failing("What the server refuses by itself, or could not do.", all)
}

// failing describes failures of one status: each code with its sentence.
func failing(title string, list []failure) object {
	slices.SortFunc(list, func(a, b failure) int {
		return cmp.Or(strings.Compare(a.code, b.code), strings.Compare(a.message, b.message))
	})
	var codes []string
	var b strings.Builder
	b.WriteString(title + "\n")
	for _, f := range list {
		fmt.Fprintf(&b, "\n- `%s`: %s", f.code, f.message)
		codes = append(codes, f.code)
	}
	return object{
		"description": b.String(),
		"content": object{"application/json": object{"schema": object{"allOf": []object{
			{"$ref": "#/components/schemas/Errors"},
			{"properties": object{"errors": object{"items": object{"properties": object{"code": object{"enum": slices.Compact(codes)}}}}}},
		}}}},
	}
}
