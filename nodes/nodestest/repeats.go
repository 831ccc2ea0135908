package nodestest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"sluice/engine"
	"sluice/nodes"
	"sluice/nodes/repeat"
)

// Repeats tests a store of repeated calls.
func Repeats(t *testing.T, open func(t *testing.T) nodes.Stores) {
	run(t, open, []promise{
		{"a kept answer comes back as it was, however often", answerIsKept},
		{"a claim keeps others out until its very end", claimEnds},
		{"a kept answer is gone at its very end", answerEnds},
		{"another request under the same name is told apart", otherRequest},
		{"calls with other names do not meet", othersDoNotMeet},
		{"a released call can be claimed anew", releasedIsFree},
		{"only the claim that is live keeps or releases", onlyTheClaimer},
		{"a late answer is kept unless another one has the call", lateAnswerIsKept},
		{"an answer is kept once and stays", answerStays},
		{"of many who claim a call one gets it, time and again", claimsRace},
		{"what the store was given and gave is not shared", answerIsOwn},
		{"a cancelled context is an error", repeatsCancel},
	})
}

// newClaim returns a claim of a minute of a call that nobody knows yet.
func newClaim(now time.Time) repeat.Claim {
	return repeat.NewClaim(sha256.Sum256([]byte(newID())), sha256.Sum256([]byte("request")), now.Add(time.Minute))
}

// again returns another claim of the same call for the same request.
func again(c repeat.Claim, now time.Time) repeat.Claim {
	return repeat.NewClaim(c.Call, c.Request, now.Add(time.Minute))
}

// wantClaimed fails the test unless the claim is made.
func wantClaimed(t *testing.T, s nodes.Stores, what string, c repeat.Claim, now time.Time) {
	t.Helper()
	if a, err := s.Repeats.Claim(t.Context(), c, now); a != nil || err != nil {
		t.Fatalf("Repeats.Claim(%s) = %v, %v, want nil, nil", what, a, err)
	}
}

// wantKept fails the test unless a claim of the call gets the answer.
func wantKept(t *testing.T, s nodes.Stores, what string, c repeat.Claim, now time.Time, want engine.Answer) {
	t.Helper()
	got, err := s.Repeats.Claim(t.Context(), c, now)
	if err != nil || got == nil || !sameAnswer(*got, want) {
		t.Fatalf("Repeats.Claim(%s) = %.200v, %v, want %.200v, nil", what, got, err, want)
	}
}

// wantRefused fails the test unless the claim is refused for a reason.
func wantRefused(t *testing.T, s nodes.Stores, what string, c repeat.Claim, now time.Time, want error) {
	t.Helper()
	if a, err := s.Repeats.Claim(t.Context(), c, now); a != nil || !errors.Is(err, want) {
		t.Fatalf("Repeats.Claim(%s) = %v, %v, want nil, %v", what, a, err, want)
	}
}

func keepAnswer(t *testing.T, s nodes.Stores, c repeat.Claim, a engine.Answer, until, now time.Time) {
	t.Helper()
	if err := s.Repeats.Keep(t.Context(), c, a, until, now); err != nil {
		t.Fatalf("Repeats.Keep(%.200v) = %v, want nil", a, err)
	}
}

func release(t *testing.T, s nodes.Stores, c repeat.Claim) {
	t.Helper()
	if err := s.Repeats.Release(t.Context(), c); err != nil {
		t.Fatalf("Repeats.Release() = %v, want nil", err)
	}
}

// sameAnswer compares answers. A body of no bytes is not the same as none.
func sameAnswer(a, b engine.Answer) bool {
	return a.Status == b.Status && a.Type == b.Type && slices.Equal(a.Headers, b.Headers) &&
		bytes.Equal(a.Body, b.Body) && (a.Body == nil) == (b.Body == nil)
}

// created is an answer as a flow gives it.
func created() engine.Answer {
	return engine.Answer{Status: 201, Headers: []engine.Header{{Name: "Location", Value: "/orders/7"}}, Body: []byte(`{"id":7}`)}
}

func answerIsKept(t *testing.T, s nodes.Stores) {
	now := present()
	answers := map[string]engine.Answer{
		"whole":            created(),
		"empty":            {Status: 204},
		"body of no bytes": {Status: 200, Body: []byte{}},
		"every byte": {Status: 200, Body: func() (b []byte) {
			for i := range 256 {
				b = append(b, byte(i))
			}
			return b
		}()},
		"media type":   {Status: 200, Body: []byte("id,total"), Type: "text/csv"},
		"longest body": {Status: 200, Body: bytes.Repeat([]byte("x"), repeat.MaxBody)},
		"same header twice": {Status: 200, Headers: []engine.Header{
			{Name: "Link", Value: "<b>"}, {Name: "Link", Value: "<a>"}, {Name: "X-Empty", Value: ""},
		}},
	}
	for name, text := range texts() {
		answers["text: "+name] = engine.Answer{Status: 200, Headers: []engine.Header{{Name: "X-Text", Value: text}}, Body: []byte(text)}
	}
	for name, a := range answers {
		c := newClaim(now)
		wantClaimed(t, s, name, c, now)
		keepAnswer(t, s, c, a, now.Add(time.Hour), now)
		for range 3 {
			wantKept(t, s, name, again(c, now), now, a)
		}
	}
}

func claimEnds(t *testing.T, s nodes.Stores) {
	now := present()
	first := newClaim(now)
	wantClaimed(t, s, "first", first, now)
	last := first.Until.Add(-time.Millisecond)
	wantRefused(t, s, "at once", again(first, now), now, repeat.ErrRunning)
	wantRefused(t, s, "just before its end", again(first, last), last, repeat.ErrRunning)
	second := again(first, first.Until)
	wantClaimed(t, s, "at its end", second, first.Until)
	wantRefused(t, s, "while the second is live", again(first, first.Until), first.Until, repeat.ErrRunning)
}

func answerEnds(t *testing.T, s nodes.Stores) {
	now := present()
	c, until := newClaim(now), now.Add(24*time.Hour)
	wantClaimed(t, s, "first", c, now)
	keepAnswer(t, s, c, created(), until, now)
	last := until.Add(-time.Millisecond)
	wantKept(t, s, "just before its end", again(c, last), last, created())
	next := again(c, until)
	next.Request = sha256.Sum256([]byte("another request"))
	wantClaimed(t, s, "at its end", next, until)
	wantRefused(t, s, "after that", again(next, until), until, repeat.ErrRunning)
	keepAnswer(t, s, next, engine.Answer{Status: 204}, until.Add(time.Hour), until)
	wantKept(t, s, "of the second answer", again(next, until), until, engine.Answer{Status: 204})
}

func otherRequest(t *testing.T, s nodes.Stores) {
	now := present()
	c := newClaim(now)
	other := again(c, now)
	other.Request = sha256.Sum256([]byte("another request"))
	wantClaimed(t, s, "first", c, now)
	wantRefused(t, s, "another request, running", other, now, repeat.ErrOtherRequest)
	keepAnswer(t, s, c, created(), now.Add(time.Hour), now)
	wantRefused(t, s, "another request, kept", other, now, repeat.ErrOtherRequest)
	wantKept(t, s, "same request", again(c, now), now, created())
}

func othersDoNotMeet(t *testing.T, s nodes.Stores) {
	now := present()
	a, b := newClaim(now), newClaim(now)
	wantClaimed(t, s, "a", a, now)
	wantClaimed(t, s, "b", b, now)
	keepAnswer(t, s, a, created(), now.Add(time.Hour), now)
	wantRefused(t, s, "b again", again(b, now), now, repeat.ErrRunning)
	release(t, s, b)
	wantKept(t, s, "a again", again(a, now), now, created())
}

func releasedIsFree(t *testing.T, s nodes.Stores) {
	now := present()
	c := newClaim(now)
	for range 3 {
		c = again(c, now)
		wantClaimed(t, s, "once more", c, now)
		release(t, s, c)
		release(t, s, c)
	}
	c.Request = sha256.Sum256([]byte("another request"))
	wantClaimed(t, s, "of another request", again(c, now), now)
}

func onlyTheClaimer(t *testing.T, s nodes.Stores) {
	now := present()
	late := newClaim(now)
	wantClaimed(t, s, "first", late, now)
	now = late.Until
	live := again(late, now)
	wantClaimed(t, s, "second", live, now)

	for name, c := range map[string]repeat.Claim{"an earlier claim": late, "a claim never made": again(live, now)} {
		if err := s.Repeats.Keep(t.Context(), c, engine.Answer{Status: 204}, now.Add(time.Hour), now); !errors.Is(err, repeat.ErrTaken) {
			t.Errorf("Repeats.Keep by %s = %v, want %v", name, err, repeat.ErrTaken)
		}
		release(t, s, c)
		wantRefused(t, s, "after a release by "+name, again(live, now), now, repeat.ErrRunning)
	}
	keepAnswer(t, s, live, created(), now.Add(time.Hour), now)
	wantKept(t, s, "after all", again(live, now), now, created())
}

func lateAnswerIsKept(t *testing.T, s nodes.Stores) {
	now := present()
	keep := func(what string, c repeat.Claim, a engine.Answer, until time.Time, want error) {
		t.Helper()
		if err := s.Repeats.Keep(t.Context(), c, a, until, now); !errors.Is(err, want) {
			t.Errorf("Repeats.Keep(%s) = %v, want %v", what, err, want)
		}
	}
	late := newClaim(now)
	wantClaimed(t, s, "first", late, now)
	now = late.Until.Add(time.Hour)
	keep("nobody else came", late, created(), now.Add(time.Minute), nil)
	wantKept(t, s, "after the late answer", again(late, now), now, created())

	now = now.Add(time.Minute)
	second, third := again(late, now), again(late, now.Add(time.Minute))
	third.Request = sha256.Sum256([]byte("another request"))
	wantClaimed(t, s, "when the answer has ended", second, now)
	now = second.Until
	wantClaimed(t, s, "when the second has ended", third, now)
	keep("another one runs", second, created(), now.Add(time.Hour), repeat.ErrTaken)
	now = third.Until
	keep("another one has ended", second, created(), now.Add(time.Hour), nil)
	keep("another answer is kept", third, engine.Answer{Status: 204}, now.Add(time.Hour), repeat.ErrTaken)
	release(t, s, third)
	wantRefused(t, s, "of the third request", again(third, now), now, repeat.ErrOtherRequest)
	wantKept(t, s, "of the second request", again(second, now), now, created())
}

func answerStays(t *testing.T, s nodes.Stores) {
	now := present()
	c := newClaim(now)
	wantClaimed(t, s, "first", c, now)
	keepAnswer(t, s, c, created(), now.Add(time.Hour), now)
	if err := s.Repeats.Keep(t.Context(), c, engine.Answer{Status: 204}, now.Add(2*time.Hour), now); !errors.Is(err, repeat.ErrTaken) {
		t.Errorf("Repeats.Keep once more = %v, want %v", err, repeat.ErrTaken)
	}
	release(t, s, c)
	wantKept(t, s, "after both", again(c, now), now, created())
}

func claimsRace(t *testing.T, s nodes.Stores) {
	const callers, rounds = 16, 8
	now := present()
	for range rounds {
		c := newClaim(now)
		race := func(what string) repeat.Claim {
			var kept atomic.Int32
			claims := make([]repeat.Claim, callers)
			errs := together(callers, func(i int) error {
				claims[i] = again(c, now)
				a, err := s.Repeats.Claim(t.Context(), claims[i], now)
				if a != nil {
					kept.Add(1)
				}
				return err
			})
			if n := kept.Load(); n > 0 {
				t.Fatalf("Repeats.Claim(%s) = an answer %d times, want none", what, n)
			}
			return claims[wantOne(t, "Repeats.Claim("+what+")", errs, repeat.ErrRunning)]
		}
		release(t, s, race("unknown call"))
		now = race("released call").Until
		won := race("call whose claim ended")
		keepAnswer(t, s, won, created(), now.Add(time.Hour), now)
		wantKept(t, s, "after the race", again(c, now), now, created())
	}
}

func answerIsOwn(t *testing.T, s nodes.Stores) {
	now := present()
	c, given := newClaim(now), created()
	wantClaimed(t, s, "first", c, now)
	keepAnswer(t, s, c, given, now.Add(time.Hour), now)
	spoil := func(a engine.Answer) {
		clear(a.Body)
		a.Headers[0].Value = "spoiled"
	}
	spoil(given)
	for range 2 {
		got, err := s.Repeats.Claim(t.Context(), again(c, now), now)
		if err != nil || got == nil || !sameAnswer(*got, created()) {
			t.Fatalf("Repeats.Claim() = %v, %v, want %v, nil", got, err, created())
		}
		spoil(*got)
	}
}

func repeatsCancel(t *testing.T, s nodes.Stores) {
	now := present()
	c, free := newClaim(now), newClaim(now)
	wantClaimed(t, s, "first", c, now)
	wantCancelled(t, map[string]func(context.Context) error{
		"Repeats.Claim": func(ctx context.Context) error { _, err := s.Repeats.Claim(ctx, free, now); return err },
		"Repeats.Keep": func(ctx context.Context) error {
			return s.Repeats.Keep(ctx, c, created(), now.Add(time.Hour), now)
		},
		"Repeats.Release": func(ctx context.Context) error { return s.Repeats.Release(ctx, c) },
	})
	wantRefused(t, s, "whose Keep and Release were cancelled", again(c, now), now, repeat.ErrRunning)
	wantClaimed(t, s, "whose Claim was cancelled", free, now)
}
