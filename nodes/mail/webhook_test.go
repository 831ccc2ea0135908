package mail_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/engine"
	"sluice/nodes/mail"
)

func TestWebhookIsShownNumberTextAndSecret(t *testing.T) {
	var keys []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var got map[string]string
		if err := json.Unmarshal(body, &got); err != nil || len(got) != 2 || got["to"] != "+14155550100" || got["text"] != "your code is 123456" {
			t.Errorf("the webhook gets %s, %v, want number and text", body, err)
		}
		if auth, kind := r.Header.Get("Authorization"), r.Header.Get("Content-Type"); r.Method != "POST" || auth != "Bearer hidden" || kind != "application/json" {
			t.Errorf("the webhook gets %s with Authorization %q and Content-Type %q, want POST, the secret and JSON", r.Method, auth, kind)
		}
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		w.WriteHeader(202)
	}))
	defer hook.Close()
	w, err := mail.NewWebhook(hook.URL+"/send", "hidden")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Send(t.Context(), mail.Message{To: "+14155550100", Subject: "Code", Text: "your code is 123456\n"}); err != nil {
			t.Errorf("Send = %v, want nil", err)
		}
	}
	if len(keys) != 2 || keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("two tries of one text have the keys %q, want the same one", keys)
	}
}

func TestWebhookThatFails(t *testing.T) {
	for status, want := range map[int]error{
		302: mail.ErrRefused, 400: mail.ErrRefused, 401: mail.ErrRefused, 408: engine.ErrUnavailable, 429: engine.ErrUnavailable, 500: engine.ErrUnavailable, 503: engine.ErrUnavailable,
	} {
		calls := 0
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		w, err := mail.NewWebhook(hook.URL+"/send?key=hidden", "s")
		if err != nil {
			t.Fatal(err)
		}
		err = w.Send(t.Context(), mail.Message{To: "+14155550100", Text: "x"})
		if !errors.Is(err, want) || calls != 1 {
			t.Errorf("Send where the webhook answers %d = %v after %d calls, want %v after one", status, err, calls, want)
		}
		hook.Close()
		err = w.Send(t.Context(), mail.Message{To: "+14155550100", Text: "x"})
		if !errors.Is(err, engine.ErrUnavailable) || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "0100") {
			t.Errorf("Send where nobody listens = %v, want %v without the URL and the number", err, engine.ErrUnavailable)
		}
	}
}

func TestWebhookIsOneThatNobodyListensInTo(t *testing.T) {
	for _, address := range []string{"https://texts.example.com/send", "http://127.0.0.1:8085/", "http://localhost/x", "http://[::1]:1/x"} {
		if _, err := mail.NewWebhook(address, "s"); err != nil {
			t.Errorf("NewWebhook(%s) = %v, want nil", address, err)
		}
	}
	for _, c := range [][2]string{
		{"http://texts.example.com/send", "s"}, {"http://10.0.0.1/", "s"}, {"http://localhost.example.com/", "s"}, {"ftp://localhost/", "s"}, {"/send", "s"}, {"", "s"},
		{"https://a:b@texts.example.com/", "s"}, {"https://texts.example.com/", ""}, {"https://texts.example.com/", "a\r\nb"}, {"https://texts.example.com/#x", "s"},
	} {
		if _, err := mail.NewWebhook(c[0], c[1]); err == nil {
			t.Errorf("NewWebhook(%q, %q) = nil, want an error", c[0], c[1])
		}
	}
}
