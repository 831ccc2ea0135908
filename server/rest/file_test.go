package rest

import (
	"context"
	"testing"

	"sluice/engine"
	"sluice/server/endpoint"
)

// A file is sent as its flow fixed it, and a browser neither guesses its type
// nor runs anything in it.
func TestFilesAreSentAsTheyAre(t *testing.T) {
	csv := func(context.Context, *endpoint.Request) (engine.Answer, error) {
		return engine.Answer{Status: 200, Type: "text/csv", Body: []byte("a,b\n<script>"), Headers: []engine.Header{
			{Name: "Content-Disposition", Value: "attachment; filename*=UTF-8''a.csv"},
		}}, nil
	}
	_, addr := start(t, Options{}, fake{method: "GET", path: "/report", call: csv})
	r := ask(t, addr, "GET", "/report", "", "")
	if r.status != 200 || r.body != "a,b\n<script>" {
		t.Errorf("GET /report = %d %q, want 200 and the file", r.status, r.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "text/csv", "Content-Disposition": "attachment; filename*=UTF-8''a.csv",
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'",
	} {
		if got := r.get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
}
