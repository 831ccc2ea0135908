package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/engine"
	"sluice/nodes/mail"
)

func TestOutboxDoesEveryJobOnce(t *testing.T) {
	o := mail.NewOutbox(slog.New(slog.DiscardHandler))
	var done atomic.Int32
	for range 200 {
		if !o.Add(func(context.Context) error { done.Add(1); return nil }) {
			t.Fatal("Add() = false, want true")
		}
	}
	o.Close(t.Context())
	if n := done.Load(); n != 200 {
		t.Errorf("%d jobs were done before Close returned, want 200", n)
	}
	if o.Add(func(context.Context) error { return nil }) {
		t.Error("Add() behind Close = true, want false")
	}
	o.Close(t.Context())
}

func TestOutboxRefusesWhatIsTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mail.NewOutbox(slog.New(slog.DiscardHandler))
		hold := make(chan struct{})
		job := func(context.Context) error { <-hold; return nil }
		for range mail.MaxWorkers {
			o.Add(job)
		}
		time.Sleep(time.Second) // every worker has one
		for i := range mail.MaxJobs {
			if !o.Add(job) {
				t.Fatalf("Add() of job %d that waits = false, want true", i)
			}
		}
		if o.Add(job) {
			t.Errorf("Add() beside %d jobs = true, want false", mail.MaxJobs)
		}
		close(hold)
		o.Close(t.Context())
	})
}

func TestOutboxTriesAgainWhatMayWorkLater(t *testing.T) {
	for name, tt := range map[string]struct {
		err   error
		tries int
		log   string
	}{
		"works":       {nil, 1, ""},
		"unavailable": {fmt.Errorf("dialling: %w", engine.ErrUnavailable), 4, "mail is not sent"},
		"refused":     {mail.ErrRefused, 1, "mail is not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				o := mail.NewOutbox(slog.New(slog.NewTextHandler(&log, nil)))
				tries := 0
				o.Add(func(ctx context.Context) error {
					if _, ok := ctx.Deadline(); !ok {
						t.Error("a job has no deadline, want one")
					}
					tries++
					return tt.err
				})
				time.Sleep(time.Hour)
				o.Close(t.Context())
				if tries != tt.tries || !strings.Contains(log.String(), tt.log) || tt.log == "" && log.Len() > 0 {
					t.Errorf("%d tries, log %q, want %d and %q in it", tries, log.String(), tt.tries, tt.log)
				}
			})
		})
	}
}

func TestOutboxClosesThoughTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := mail.NewOutbox(slog.New(slog.DiscardHandler))
		o.Add(func(context.Context) error { return engine.ErrUnavailable })
		o.Add(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		time.Sleep(time.Second)
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		o.Close(ctx)
		if took := time.Since(began); took > time.Second {
			t.Errorf("Close() under a second of time takes %v", took)
		}
	})
}

func TestMailboxKeepsTheLastMails(t *testing.T) {
	var told []string
	b := mail.NewMailbox(2, func(k mail.Kept) { told = append(told, k.ID+k.Subject) })
	for _, s := range []string{"a", "b", "c"} {
		if err := b.Send(t.Context(), mail.Message{Subject: s}); err != nil {
			t.Fatalf("Send() = %v, want nil", err)
		}
	}
	var kept []string
	for _, k := range b.Mails() {
		kept = append(kept, k.ID+k.Subject)
	}
	if got, want := fmt.Sprint(kept, told), "[3c 2b] [1a 2b 3c]"; got != want {
		t.Errorf("Mails() and what was told = %s, want %s", got, want)
	}
}

// answering is a sender that always answers the same.
type answering struct{ err error }

func (a answering) Send(context.Context, mail.Message) error { return a.err }

// full is a queue that takes nothing.
type full struct{}

func (full) Add(func(context.Context) error) bool { return false }

func TestSendLeavesByOutcome(t *testing.T) {
	ts := templates(t, map[string]string{"x.txt": "Subject: x\n\n{$a}"})
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		sender error
		in     mail.SendIn
		want   error
	}{
		"sent":        {nil, mail.SendIn{To: "ada@example.com"}, nil},
		"no address":  {nil, mail.SendIn{To: "ada@example.com\r\nBcc: x@example.com"}, nil},
		"refused":     {mail.ErrRefused, mail.SendIn{To: "ada@example.com"}, mail.Refused},
		"unavailable": {fmt.Errorf("x: %w", engine.ErrUnavailable), mail.SendIn{To: "ada@example.com"}, mail.Away},
		"broken":      {broken, mail.SendIn{To: "ada@example.com"}, broken},
		"too many":    {nil, mail.SendIn{To: "ada@example.com", Later: true}, mail.Busy},
	} {
		t.Run(name, func(t *testing.T) {
			tt.in.Template, tt.in.Values = "x", map[string]any{"a": "b"}
			if name == "no address" {
				tt.want = invalidEmail
			}
			_, err := mail.SendNode(t.Context(), mail.Post{Sender: answering{tt.sender}, Queue: full{}, Templates: ts}, tt.in)
			if !errors.Is(err, tt.want) {
				t.Errorf("mail.send(%+v) = %v, want %v", tt.in, err, tt.want)
			}
		})
	}
}
