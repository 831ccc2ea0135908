package mongotest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Kinds of messages.
const (
	opReply = 1
	opQuery = 2004 // of old; a client's first words
	opMsg   = 2013
)

// A message is a command of a client.
type message struct {
	id   uint32
	kind uint32
	body bson.Raw // with all that a client sends behind it
}

var errForm = errors.New("message is none of the protocol")

func readMessage(r *bufio.Reader) (*message, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head)
	if n < 16 || n > 48_000_000 {
		return nil, fmt.Errorf("%w: it is of %d bytes", errForm, n)
	}
	text := make([]byte, n-16)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, err
	}
	m := &message{id: binary.LittleEndian.Uint32(head[4:]), kind: binary.LittleEndian.Uint32(head[12:])}
	switch m.kind {
	case opMsg:
		return m, m.read(text[4:])
	case opQuery, opReply:
		skip := 4 // flags
		if m.kind == opQuery {
			skip += bytes.IndexByte(text[4:], 0) + 1 + 8
		} else {
			skip += 16
		}
		if skip > len(text) {
			return nil, errForm
		}
		m.body = bson.Raw(text[skip:])
		return m, m.body.Validate()
	}
	return nil, fmt.Errorf("%w: it is of kind %d", errForm, m.kind)
}

// read reads the sections of a message. Lists that stand behind the command
// become a part of it.
func (m *message) read(text []byte) error {
	var lists bson.D
	for len(text) > 0 {
		section, rest := text[0], text[1:]
		if len(rest) < 4 {
			return errForm
		}
		n := int(binary.LittleEndian.Uint32(rest))
		if n < 5 || n > len(rest) {
			return errForm
		}
		if section == 0 {
			m.body = bson.Raw(rest[:n])
		} else {
			name, documents, _ := bytes.Cut(rest[4:n], []byte{0})
			list := bson.A{}
			for len(documents) >= 4 {
				size := min(int(binary.LittleEndian.Uint32(documents)), len(documents))
				list, documents = append(list, bson.Raw(documents[:size])), documents[size:]
			}
			lists = append(lists, bson.E{Key: string(name), Value: list})
		}
		text = rest[n:]
	}
	if err := m.body.Validate(); err != nil {
		return err
	}
	if len(lists) == 0 {
		return nil
	}
	all := append(m.fields(), lists...)
	body, err := bson.Marshal(all)
	m.body = body
	return err
}

// fields are those of the command, but for some.
func (m *message) fields(but ...string) (all bson.D) {
	elements, _ := m.body.Elements()
	for _, e := range elements {
		if !slices.Contains(but, e.Key()) {
			all = append(all, bson.E{Key: e.Key(), Value: e.Value()})
		}
	}
	return all
}

func (m *message) without(names ...string) bson.Raw {
	raw, _ := bson.Marshal(m.fields(names...)) // of what was BSON
	return raw
}

// name is that of the command.
func (m *message) name() string {
	first, err := m.body.IndexErr(0)
	if err != nil {
		return ""
	}
	return first.Key()
}

func (m *message) has(field string) bool {
	_, err := m.body.LookupErr(field)
	return err == nil
}

// session is the session and number of a write that may be sent again, or of a
// transaction, or "".
func (m *message) session() string {
	n, ok := m.body.Lookup("txnNumber").AsInt64OK()
	if !ok {
		return ""
	}
	return fmt.Sprint(m.body.Lookup("lsid"), n)
}

// reply is the message that answers another.
func (m *message) reply(body bson.Raw) []byte {
	if m.kind == opQuery {
		// Flags, cursor, start and number of documents.
		return frame(opReply, m.id, append(make([]byte, 4+8+4), 1, 0, 0, 0), body)
	}
	return command(m.id, body)
}

// command is a message with one section, which answers another or none.
func command(to uint32, body bson.Raw) []byte { return frame(opMsg, to, make([]byte, 4+1), body) }

func frame(kind, to uint32, parts ...[]byte) []byte {
	text := append(make([]byte, 16), bytes.Join(parts, nil)...)
	binary.LittleEndian.PutUint32(text, uint32(len(text)))
	binary.LittleEndian.PutUint32(text[8:], to)
	binary.LittleEndian.PutUint32(text[12:], kind)
	return text
}

// A conn is a connection to the database.
type conn struct {
	net.Conn
	in *bufio.Reader
}

func dial(to string) (*conn, error) {
	c, err := net.Dial("tcp", to)
	if err != nil {
		return nil, err
	}
	return &conn{c, bufio.NewReader(c)}, nil
}

func (c *conn) close() {
	if c != nil {
		c.Close()
	}
}

// ask sends a command and returns the answer, which may be an error.
func (c *conn) ask(body bson.Raw) (bson.Raw, error) {
	if _, err := c.Write(command(0, body)); err != nil {
		return nil, err
	}
	answer, err := readMessage(c.in)
	if err != nil {
		return nil, err
	}
	return answer.body, nil
}

// run sends a command that must succeed.
func (c *conn) run(asked bson.D) (bson.Raw, error) {
	body, err := bson.Marshal(asked)
	if err != nil {
		return nil, err
	}
	answer, err := c.ask(body)
	if ok, _ := answer.Lookup("ok").DoubleOK(); err == nil && ok != 1 {
		err = fmt.Errorf("database answers %v", answer)
	}
	return answer, err
}
