package mongotest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// firstStream is the id of the first stream of changes, above those of the
// database's cursors.
const firstStream = 1 << 60

// streams are the streams of changes of a set: what writes outside of
// transactions change while a stream is open, with the stages that its client
// asks for, as far as clients of this module do.
type streams struct {
	mu      sync.Mutex
	open    map[int64]*stream // guarded by mu
	last    int64             // guarded by mu
	changes []change          // since the first stream; guarded by mu

	delay  time.Duration // guarded by mu
	lossy  bool          // guarded by mu
	mute   bool          // guarded by mu
	broken bool          // guarded by mu
}

type stream struct {
	in     string // database
	stages []bson.Raw
	next   int // position in changes
}

type change struct {
	in       string
	at       time.Time
	document bson.D
}

// DelayChanges holds up what streams tell.
func (s *Set) DelayChanges(by time.Duration) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	s.streams.delay = by
}

// LoseChanges leaves out of streams, while it is on, what happens.
func (s *Set) LoseChanges(on bool) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	s.streams.lossy = on
}

// MuteStreams lets streams say nothing at all while it is on, and keeps what
// happens for later.
func (s *Set) MuteStreams(on bool) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	s.streams.mute = on
}

// BreakStreams ends all streams by an error after which none is resumed, and
// lets nobody open another while it is on.
func (s *Set) BreakStreams(on bool) {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	s.streams.broken = on
	clear(s.streams.open)
}

// Streams is how many streams are open.
func (s *Set) Streams() int {
	s.streams.mu.Lock()
	defer s.streams.mu.Unlock()
	return len(s.streams.open)
}

// answer answers what is asked about streams of changes.
func (ss *streams) answer(asked *message) (answer bson.Raw, ours bool, err error) {
	switch asked.name() {
	case "aggregate":
		if _, err := asked.body.LookupErr("pipeline", "0", "$changeStream"); err == nil {
			answer, err = ss.begin(asked)
			return answer, true, err
		}
	case "getMore":
		if id := asked.body.Lookup("getMore").Int64(); id >= firstStream {
			answer, err = ss.more(asked, id)
			return answer, true, err
		}
	case "killCursors":
		if id, ok := asked.body.Lookup("cursors", "0").Int64OK(); ok && id >= firstStream {
			ss.mu.Lock()
			defer ss.mu.Unlock()
			delete(ss.open, id)
			answer, err = bson.Marshal(bson.D{{Key: "cursorsKilled", Value: bson.A{id}}, {Key: "ok", Value: 1.0}})
			return answer, true, err
		}
	}
	return nil, false, nil
}

func (ss *streams) begin(asked *message) (bson.Raw, error) {
	if level, _ := asked.body.Lookup("readConcern", "level").StringValueOK(); level != "majority" {
		return failure(72, "a stream of changes is of a majority")
	}
	if n, ok := asked.body.Lookup("aggregate").AsInt64OK(); !ok || n != 1 {
		return failure(238, "the stand-in has streams of a database only")
	}
	values, err := asked.body.Lookup("pipeline").Array().Values()
	if err != nil {
		return nil, err
	}
	s := &stream{in: asked.body.Lookup("$db").StringValue()}
	for _, v := range values[1:] {
		s.stages = append(s.stages, v.Document())
	}
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.broken {
		return failure(136, "there are no streams for now")
	}
	if ss.open == nil {
		ss.open = map[int64]*stream{}
	}
	s.next = len(ss.changes)
	id := firstStream + ss.last
	ss.last++
	ss.open[id] = s
	return ss.batch(s, id, "firstBatch", nil)
}

// more waits for changes as long as the client asks.
func (ss *streams) more(asked *message, id int64) (bson.Raw, error) {
	most, _ := asked.body.Lookup("maxTimeMS").AsInt64OK()
	for end := time.Now().Add(time.Duration(most) * time.Millisecond); ; time.Sleep(time.Millisecond) {
		answer, err := ss.try(id, time.Now().After(end))
		if answer != nil || err != nil {
			return answer, err
		}
	}
}

// try returns nil where there is nothing to tell yet.
func (ss *streams) try(id int64, late bool) (bson.Raw, error) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s := ss.open[id]
	if s == nil {
		return failure(286, "the history is lost", "NonResumableChangeStreamError")
	}
	if ss.mute {
		return nil, nil
	}
	var found bson.A
	for ; s.next < len(ss.changes) && time.Since(ss.changes[s.next].at) >= ss.delay; s.next++ {
		c := ss.changes[s.next]
		if c.in != s.in {
			continue
		}
		document, err := staged(c.document, s.stages)
		if err != nil {
			return failure(9, err.Error())
		}
		if document != nil {
			found = append(found, document)
		}
	}
	if len(found) == 0 && !late {
		return nil, nil
	}
	return ss.batch(s, id, "nextBatch", found)
}

func (ss *streams) batch(s *stream, id int64, name string, found bson.A) (bson.Raw, error) {
	return bson.Marshal(bson.D{
		{Key: "ok", Value: 1.0},
		{Key: "cursor", Value: bson.D{
			{Key: "id", Value: id}, {Key: "ns", Value: s.in + ".$cmd.aggregate"}, {Key: name, Value: append(bson.A{}, found...)},
			{Key: "postBatchResumeToken", Value: resumeToken(s.next)},
		}},
	})
}

func resumeToken(n int) bson.D { return bson.D{{Key: "_data", Value: fmt.Sprintf("%020d", n)}} }

// add notes a change of a document.
func (ss *streams) add(in, collection, operation string, id any, more ...bson.E) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	if ss.lossy || len(ss.open) == 0 {
		return
	}
	document := bson.D{
		{Key: "_id", Value: resumeToken(len(ss.changes))}, {Key: "operationType", Value: operation},
		{Key: "ns", Value: bson.D{{Key: "db", Value: in}, {Key: "coll", Value: collection}}},
		{Key: "documentKey", Value: bson.D{{Key: "_id", Value: id}}},
	}
	ss.changes = append(ss.changes, change{in, time.Now(), append(document, more...)})
}

// watched runs a command, and notes what it changes. Nobody else runs one meanwhile.
func (ss *streams) watched(asked *message, behind *conn) (bson.Raw, error) {
	ss.mu.Lock()
	streaming := len(ss.open) > 0
	ss.mu.Unlock()
	if !streaming {
		return behind.ask(asked.body)
	}
	touched, err := touchedBy(asked, behind)
	if err != nil {
		return nil, err
	}
	answer, err := behind.ask(asked.body)
	if ok, _ := answer.Lookup("ok").AsFloat64OK(); err != nil || ok != 1 {
		return answer, err
	}
	in, _ := asked.body.Lookup("$db").StringValueOK()
	collection, _ := asked.body.Lookup(asked.name()).StringValueOK()
	for _, id := range touched {
		switch asked.name() {
		case "insert":
			ss.add(in, collection, "insert", id)
		case "delete":
			ss.add(in, collection, "delete", id)
		case "update":
			if n, _ := answer.Lookup("n").AsInt64OK(); n > 0 {
				ss.updated(in, collection, id, asked.body.Lookup("updates", "0", "u"))
			}
		case "findAndModify":
			_, found := answer.Lookup("value").DocumentOK()
			if removes, _ := asked.body.Lookup("remove").BooleanOK(); found && removes {
				ss.add(in, collection, "delete", id)
			} else if found {
				ss.updated(in, collection, id, asked.body.Lookup("update"))
			}
		}
	}
	return answer, nil
}

// updated notes a change by an update, with the names of the fields that it
// changes, or a replacement.
func (ss *streams) updated(in, collection string, id bson.RawValue, update bson.RawValue) {
	fields := bson.D{}
	operators, _ := update.Document().Elements()
	for _, o := range operators {
		if !strings.HasPrefix(o.Key(), "$") {
			ss.add(in, collection, "replace", id)
			return
		}
		changed, _ := o.Value().Document().Elements()
		for _, f := range changed {
			fields = append(fields, bson.E{Key: f.Key(), Value: true})
		}
	}
	ss.add(in, collection, "update", id, bson.E{Key: "updateDescription", Value: bson.D{{Key: "updatedFields", Value: fields}}})
}

// touchedBy are the ids of the documents that a write is about to change.
func touchedBy(asked *message, behind *conn) (ids []bson.RawValue, err error) {
	var filter bson.Raw
	switch asked.name() {
	case "insert":
		documents, err := asked.body.Lookup("documents").Array().Values()
		for _, d := range documents {
			ids = append(ids, d.Document().Lookup("_id"))
		}
		return ids, err
	case "update":
		filter = asked.body.Lookup("updates", "0", "q").Document()
	case "delete":
		filter = asked.body.Lookup("deletes", "0", "q").Document()
	case "findAndModify":
		filter = asked.body.Lookup("query").Document()
	default:
		return nil, nil
	}
	found, err := behind.run(bson.D{
		{Key: "find", Value: asked.body.Lookup(asked.name()).StringValue()}, {Key: "filter", Value: filter}, {Key: "batchSize", Value: int32(10_000)},
		{Key: "$db", Value: asked.body.Lookup("$db").StringValue()},
	})
	if err != nil {
		return nil, err
	}
	documents, err := found.Lookup("cursor", "firstBatch").Array().Values()
	for _, d := range documents {
		ids = append(ids, d.Document().Lookup("_id"))
	}
	return ids, err
}

var errStage = errors.New("stage of a stream is more than the stand-in knows")

// staged is what the stages of a stream make of a change, or nil.
func staged(document bson.D, stages []bson.Raw) (bson.Raw, error) {
	raw, err := bson.Marshal(document)
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		e, err := stage.IndexErr(0)
		if err != nil {
			return nil, errStage
		}
		switch e.Key() {
		case "$match":
			ok, err := matches(raw, e.Value().Document())
			if err != nil || !ok {
				return nil, err
			}
		case "$project":
			if raw, err = projected(raw, e.Value().Document()); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("%w: %v", errStage, stage)
		}
	}
	return raw, nil
}

// matches knows $or, and of each field one operator.
func matches(document, filter bson.Raw) (bool, error) {
	conditions, err := filter.Elements()
	if err != nil {
		return false, err
	}
	for _, c := range conditions {
		ok := false
		if c.Key() == "$or" {
			filters, _ := c.Value().Array().Values()
			for _, f := range filters {
				one, err := matches(document, f.Document())
				if err != nil {
					return false, err
				}
				ok = ok || one
			}
		} else {
			v, missing := document.LookupErr(strings.Split(c.Key(), ".")...)
			operator, err := c.Value().Document().IndexErr(0)
			if err != nil {
				return false, errStage
			}
			want := operator.Value()
			switch operator.Key() {
			case "$eq":
				ok = missing == nil && v.Equal(want)
			case "$in":
				values, _ := want.Array().Values()
				ok = missing == nil && slices.ContainsFunc(values, v.Equal)
			case "$exists":
				ok = want.Boolean() == (missing == nil)
			default:
				return false, fmt.Errorf("%w: %v", errStage, filter)
			}
		}
		if !ok {
			return false, nil
		}
	}
	return true, nil
}

// projected keeps the named fields, and the _id.
func projected(document, named bson.Raw) (bson.Raw, error) {
	kept := bson.D{{Key: "_id", Value: document.Lookup("_id")}}
	fields, err := named.Elements()
	if err != nil {
		return nil, err
	}
	for _, f := range fields {
		outer, inner, deep := strings.Cut(f.Key(), ".")
		v, missing := document.LookupErr(strings.Split(f.Key(), ".")...)
		switch {
		case missing != nil:
		case deep:
			kept = append(kept, bson.E{Key: outer, Value: bson.D{{Key: inner, Value: v}}})
		default:
			kept = append(kept, bson.E{Key: outer, Value: v})
		}
	}
	return bson.Marshal(kept)
}
