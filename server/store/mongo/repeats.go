package mongo

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"

	"sluice/engine"
	"sluice/nodes/repeat"
)

var _ repeat.Store = Repeats{}

// Repeats are the claims of calls and their answers in a database.
type Repeats struct{ db *DB }

// A call is a claim, or the answer to one.
type call struct {
	Call    bson.Binary   `bson:"_id"`
	Request bson.Binary   `bson:"request"`
	Token   bson.Binary   `bson:"token"`
	Until   bson.DateTime `bson:"until"`
	Purge   bson.DateTime `bson:"purge"` // when the database may delete the document
	Done    bool          `bson:"done"`  // the answer is there
	Status  int           `bson:"status,omitempty"`
	Headers []header      `bson:"headers,omitempty"`
	Body    *bson.Binary  `bson:"body"`           // nil for none, which is not the same as no bytes
	Type    string        `bson:"type,omitempty"` // media type of Body
}

type header struct {
	Name  string `bson:"name"`
	Value string `bson:"value"`
}

func callOf(c repeat.Claim, until time.Time) *call {
	return &call{
		Call: binary(c.Call[:]), Request: binary(c.Request[:]), Token: binary(c.Token[:]),
		Until: date(until), Purge: date(until.Add(grace)),
	}
}

// Claim looks before it writes, as a repetition mostly finds the answer.
func (rs Repeats) Claim(ctx context.Context, c repeat.Claim, now time.Time) (*engine.Answer, error) {
	ctx, cancel := rs.db.bound(ctx)
	defer cancel()
	mine := callOf(c, c.Until)
	for range maxRounds {
		k, err := find[call](ctx, rs.db.repeats, where(is("_id", mine.Call)))
		switch {
		case err != nil:
			return nil, err
		case k != nil && k.Until > date(now):
			return k.answer(mine)
		}
		made, err := rs.take(ctx, mine, k != nil, where(is("_id", mine.Call), upTo("until", date(now))))
		if err != nil || made {
			return nil, err
		}
	}
	return nil, fmt.Errorf("claiming call: %w", errOvertaken)
}

// answer gives what is known of a live call to a claim of it.
func (k *call) answer(to *call) (*engine.Answer, error) {
	switch {
	case !k.Request.Equal(to.Request):
		return nil, repeat.ErrOtherRequest
	case !k.Done:
		return nil, repeat.ErrRunning
	}
	return k.kept(), nil
}

// kept returns the answer that a call has.
func (k *call) kept() *engine.Answer {
	a := &engine.Answer{Status: k.Status, Type: k.Type}
	for _, h := range k.Headers {
		a.Headers = append(a.Headers, engine.Header{Name: h.Name, Value: h.Value})
	}
	if k.Body != nil {
		a.Body = append([]byte{}, k.Body.Data...)
	}
	return a
}

// keep gives a call its answer.
func (k *call) keep(a engine.Answer) {
	k.Done, k.Status, k.Type = true, a.Status, a.Type
	for _, h := range a.Headers {
		k.Headers = append(k.Headers, header{h.Name, h.Value})
	}
	if a.Body != nil {
		body := binary(a.Body)
		k.Body = &body
	}
}

// take puts a call in place of the one that a filter names, or where none is. It
// returns false where somebody else was faster.
func (rs Repeats) take(ctx context.Context, mine *call, there bool, filter bson.D) (bool, error) {
	if there {
		done, err := rs.db.repeats.ReplaceOne(ctx, filter, mine)
		if err != nil {
			return false, failed("writing call", err)
		}
		return done.MatchedCount > 0, nil
	}
	_, err := rs.db.repeats.InsertOne(ctx, mine)
	switch {
	case driver.IsDuplicateKeyError(err):
		return false, nil
	case err != nil:
		return false, failed("writing call", err)
	}
	return true, nil
}

func (rs Repeats) Keep(ctx context.Context, c repeat.Claim, a engine.Answer, until, now time.Time) error {
	ctx, cancel := rs.db.bound(ctx)
	defer cancel()
	mine := callOf(c, until)
	mine.keep(a)
	filter := where(is("_id", mine.Call),
		either(where(is("token", mine.Token), is("done", false)), where(upTo("until", date(now)))))
	for _, there := range []bool{true, false, true} {
		kept, err := rs.take(ctx, mine, there, filter)
		if err != nil || kept {
			return err
		}
	}
	return repeat.ErrTaken
}

func (rs Repeats) Release(ctx context.Context, c repeat.Claim) error {
	ctx, cancel := rs.db.bound(ctx)
	defer cancel()
	_, err := rs.db.repeats.DeleteOne(ctx, where(is("_id", binary(c.Call[:])), is("token", binary(c.Token[:])), is("done", false)))
	if err != nil {
		return failed("releasing call", err)
	}
	return nil
}
