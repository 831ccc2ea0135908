package mongotest

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A Set stands in for a replica set of two members, in front of a database that
// is a single server. It elects, steps down, gives the answer to a write that is
// sent again, undoes a transaction that is aborted, and streams changes. That
// shows what a client tells a replica set and how it takes the answers, and
// nothing about MongoDB. It is safe for many goroutines.
type Set struct {
	to      string // address of the database
	members [2]*member
	primary atomic.Int32 // index of the member

	lost    atomic.Int32 // how many writes are still to be made and not answered
	refused atomic.Int32 // how many commands of transactions are still to be refused for now

	mu      sync.Mutex
	answers map[string][]byte // to writes, by session and number; guarded by mu

	streams streams

	turn chan *transaction // holds one while nobody runs a command or a transaction
	tx   atomic.Pointer[transaction]
}

type member struct {
	set      *Set
	index    int32
	listener net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
}

// NewSet returns a set in front of a database's address. It ends with the test.
func NewSet(t testing.TB, to string) *Set {
	t.Helper()
	s := &Set{to: to, answers: map[string][]byte{}, turn: make(chan *transaction, 1)}
	s.turn <- nil
	for i := range s.members {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("Listen() = %v, want nil", err)
		}
		m := &member{set: s, index: int32(i), listener: inner, conns: map[net.Conn]bool{}}
		s.members[i] = m
		t.Cleanup(func() {
			inner.Close()
			m.hangUp()
		})
	}
	for _, m := range s.members {
		go m.accept()
	}
	return s
}

// URI names the members.
func (s *Set) URI() string {
	return fmt.Sprintf("mongodb://%s,%s/?replicaSet=standin", s.members[0].addr(), s.members[1].addr())
}

// StepDown makes the other member the primary. The old one hangs up on all
// clients, or else refuses them from now on.
func (s *Set) StepDown(hangUp bool) {
	old := s.members[s.primary.Load()]
	s.primary.Store(1 - old.index)
	if hangUp {
		old.hangUp()
	}
}

// LoseAnswers makes the next n writes outside of transactions, and hangs up in
// place of answering.
func (s *Set) LoseAnswers(n int) { s.lost.Store(int32(n)) }

// RefuseForNow answers the next n commands of transactions by an error that passes.
func (s *Set) RefuseForNow(n int) { s.refused.Store(int32(n)) }

func (m *member) addr() string { return m.listener.Addr().String() }

func (m *member) hangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for c := range m.conns {
		c.Close()
	}
	clear(m.conns)
}

func (m *member) accept() {
	for {
		client, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conns[client] = true
		m.mu.Unlock()
		go m.serve(client)
	}
}

func (m *member) serve(client net.Conn) {
	defer client.Close()
	behind, err := dial(m.set.to)
	if err != nil {
		return
	}
	defer behind.close()
	in := bufio.NewReader(client)
	for {
		asked, err := readMessage(in)
		if err != nil {
			return
		}
		answer, err := m.answer(asked, behind)
		if err != nil {
			return
		}
		if _, err := client.Write(asked.reply(answer)); err != nil {
			return
		}
	}
}

// hello is what the member says about itself and the set.
func (m *member) hello() bson.D {
	s := m.set
	primary := s.primary.Load()
	return bson.D{
		{Key: "helloOk", Value: true}, {Key: "ismaster", Value: m.index == primary}, {Key: "isWritablePrimary", Value: m.index == primary},
		{Key: "secondary", Value: m.index != primary}, {Key: "setName", Value: "standin"}, {Key: "setVersion", Value: int32(1)},
		{Key: "hosts", Value: bson.A{s.members[0].addr(), s.members[1].addr()}},
		{Key: "primary", Value: s.members[primary].addr()}, {Key: "me", Value: m.addr()},
		{Key: "maxBsonObjectSize", Value: int32(16 << 20)}, {Key: "maxMessageSizeBytes", Value: int32(48_000_000)},
		{Key: "maxWriteBatchSize", Value: int32(100_000)}, {Key: "localTime", Value: bson.NewDateTimeFromTime(time.Now())},
		{Key: "logicalSessionTimeoutMinutes", Value: int32(30)}, {Key: "minWireVersion", Value: int32(0)},
		{Key: "maxWireVersion", Value: int32(21)}, {Key: "readOnly", Value: false}, {Key: "ok", Value: 1.0},
	}
}

// failure is an answer that is an error.
func failure(code int32, text string, labels ...string) (bson.Raw, error) {
	return bson.Marshal(bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: code}, {Key: "errmsg", Value: text}, {Key: "errorLabels", Value: labels},
	})
}

// answer is what the member says to a command, or an error to hang up.
func (m *member) answer(asked *message, behind *conn) (bson.Raw, error) {
	switch asked.name() {
	case "hello", "isMaster", "ismaster":
		return bson.Marshal(m.hello())
	case "ping", "endSessions", "buildInfo":
		return behind.ask(asked.body)
	}
	if m.index != m.set.primary.Load() {
		return failure(10107, "not primary", "RetryableWriteError")
	}
	if answer, ours, err := m.set.streams.answer(asked); ours {
		return answer, err
	}
	if asked.has("autocommit") {
		return m.set.inTransaction(asked, behind)
	}
	return m.set.alone(asked, behind)
}

// alone runs a command outside of transactions. A write that was made before it
// does not make again.
func (s *Set) alone(asked *message, behind *conn) (bson.Raw, error) {
	<-s.turn
	defer func() { s.turn <- nil }()
	key := asked.session()
	if key == "" {
		return s.streams.watched(asked, behind)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if answer, made := s.answers[key]; made {
		return answer, nil
	}
	answer, err := s.streams.watched(asked, behind)
	if err != nil {
		return nil, err
	}
	s.answers[key] = answer
	if s.lost.Load() > 0 {
		s.lost.Add(-1)
		return nil, errLost
	}
	return answer, nil
}
