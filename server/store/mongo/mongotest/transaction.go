package mongotest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

var errLost = errors.New("the answer is lost")

// A transaction is what a client has begun and not ended. Nobody else runs a
// command meanwhile.
type transaction struct {
	key string // session and number

	mu     sync.Mutex
	over   bool     // guarded by mu
	undo   []before // guarded by mu
	behind *conn    // guarded by mu
}

// before is what stood where the transaction wrote.
type before struct {
	in, collection string
	id             bson.RawValue
	document       bson.Raw // nil for none
}

// inTransaction runs a command of a transaction, or ends it.
func (s *Set) inTransaction(asked *message, behind *conn) (bson.Raw, error) {
	key := asked.session()
	if asked.has("startTransaction") {
		<-s.turn
		tx := &transaction{key: key}
		tx.behind, _ = dial(s.to)
		s.tx.Store(tx)
		time.AfterFunc(5*time.Second, func() { s.end(tx, false) }) // its client may be gone
	}
	tx := s.tx.Load()
	if tx == nil || tx.key != key {
		return failure(251, "no such transaction", "TransientTransactionError")
	}
	switch asked.name() {
	case "commitTransaction", "abortTransaction":
		if err := s.end(tx, asked.name() == "commitTransaction"); err != nil {
			return nil, err
		}
		return bson.Marshal(bson.D{{Key: "ok", Value: 1.0}})
	}
	if s.refused.Load() > 0 {
		s.refused.Add(-1)
		return failure(112, "write conflict", "TransientTransactionError")
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if err := tx.note(asked); err != nil {
		return nil, err
	}
	return behind.ask(asked.without("lsid", "txnNumber", "autocommit", "startTransaction", "readConcern"))
}

// note keeps what stands where a command is about to write.
func (tx *transaction) note(asked *message) error {
	var ids []bson.RawValue
	switch asked.name() {
	case "insert":
		documents, _ := asked.body.Lookup("documents").Array().Values()
		for _, d := range documents {
			ids = append(ids, d.Document().Lookup("_id"))
		}
	case "findAndModify":
		ids = append(ids, asked.body.Lookup("query", "_id", "$eq"))
	case "find", "aggregate":
	default:
		return fmt.Errorf("%s in a transaction is more than the stand-in knows", asked.name())
	}
	for _, id := range ids {
		b := before{in: asked.body.Lookup("$db").StringValue(), collection: asked.body.Lookup(asked.name()).StringValue(), id: id}
		found, err := tx.behind.run(bson.D{
			{Key: "find", Value: b.collection}, {Key: "filter", Value: bson.D{{Key: "_id", Value: id}}}, {Key: "$db", Value: b.in},
		})
		if err != nil {
			return err
		}
		if first, err := found.LookupErr("cursor", "firstBatch", "0"); err == nil {
			b.document = first.Document()
		}
		tx.undo = append(tx.undo, b)
	}
	return nil
}

// end keeps what a transaction did, or undoes it, and lets others go on.
func (s *Set) end(tx *transaction, keep bool) error {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.over {
		return nil
	}
	tx.over = true
	defer func() {
		tx.behind.close()
		s.tx.Store(nil)
		s.turn <- nil
	}()
	if keep {
		return nil
	}
	for i := len(tx.undo) - 1; i >= 0; i-- {
		b := tx.undo[i]
		commands := []bson.D{{
			{Key: "delete", Value: b.collection}, {Key: "$db", Value: b.in},
			{Key: "deletes", Value: bson.A{bson.D{{Key: "q", Value: bson.D{{Key: "_id", Value: b.id}}}, {Key: "limit", Value: int32(1)}}}},
		}}
		if b.document != nil {
			commands = append(commands, bson.D{
				{Key: "insert", Value: b.collection}, {Key: "$db", Value: b.in}, {Key: "documents", Value: bson.A{b.document}},
			})
		}
		for _, c := range commands {
			if _, err := tx.behind.run(c); err != nil {
				return err
			}
		}
	}
	return nil
}
