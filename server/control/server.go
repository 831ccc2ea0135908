package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sluice/server/admin"
)

// Times that a connection has.
const (
	readTime  = 10 * time.Second // for the request
	writeTime = time.Minute      // for each part of the output
)

// trailer says why an output broke off; "" where it did not.
const trailer = "Sluice-Error"

// Serve does the commands that come in by c until ctx ends, and then until those
// that run have ended, which it cancels. It closes ln. It logs what went wrong
// inside.
func Serve(ctx context.Context, ln net.Listener, c admin.Carrier, log *slog.Logger) error {
	s := &server{carrier: c, log: log, calls: make(chan struct{}, maxCalls)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/{name}", s.serve)
	h := &http.Server{
		Handler: mux, ReadTimeout: readTime, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	h.SetKeepAlivesEnabled(false)
	served := make(chan error, 1)
	go func() { served <- h.Serve(ln) }()
	select {
	case err := <-served:
		return errors.Join(err, ln.Close())
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := h.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		err = h.Close()
	}
	<-served
	return err
}

type server struct {
	carrier admin.Carrier
	log     *slog.Logger
	calls   chan struct{}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	select {
	case s.calls <- struct{}{}:
		defer func() { <-s.calls }()
	default:
		refuse(w, http.StatusServiceUnavailable, &admin.Refusal{Code: "busy", Message: "Too many commands run at the moment. Try again in a few seconds."})
		return
	}
	name := r.PathValue("name")
	in, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInput))
	if err != nil {
		refuse(w, http.StatusBadRequest, &admin.Refusal{Code: "badInput", Message: "The input is too long, or did not arrive."})
		return
	}
	w.Header().Set("Trailer", trailer)
	out := &output{w: w, control: http.NewResponseController(w)}
	err = s.carrier.Do(r.Context(), name, in, out)
	if err == nil {
		return
	}
	var refusal *admin.Refusal
	if !errors.As(err, &refusal) && r.Context().Err() == nil {
		s.log.Error("a command failed", "command", name, "error", err)
	}
	switch {
	case out.begun:
		w.Header().Set(trailer, oneLine(err.Error()))
	case refusal != nil:
		refuse(w, http.StatusUnprocessableEntity, refusal)
	default:
		refuse(w, http.StatusInternalServerError, &admin.Refusal{Code: "failed", Message: err.Error()})
	}
}

func refuse(w http.ResponseWriter, status int, r *admin.Refusal) {
	w.Header().Del("Trailer")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) // whoever asked is gone
}

// oneLine makes a text fit for a header.
func oneLine(text string) string {
	b := []byte(text)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return string(b[:min(len(b), maxHeader/2)])
}

// An output gives each of its parts a time of its own, as a backup is long.
type output struct {
	w       io.Writer
	control *http.ResponseController
	begun   bool
}

func (o *output) Write(p []byte) (int, error) {
	o.begun = true
	if err := o.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return o.w.Write(p)
}
