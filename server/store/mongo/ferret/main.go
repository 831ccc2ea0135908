// Command ferret serves FerretDB, a database with MongoDB's protocol, for the
// tests of the store. It is a module of its own, so that Sluice does not depend
// on it. It keeps its data in a directory, prints its URI and ends with its
// standard input:
//
//	go run . DIRECTORY
//
// FerretDB 1 reads a document and writes it back in two steps. MongoDB changes
// one document atomically, and the store relies on that; so the commands of all
// clients go through one at a time. When it refuses a change for a unique index
// it calls that a fault of its own; MongoDB names the index, and so does the answer
// that clients get.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
	"go.mongodb.org/mongo-driver/bson"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ferret:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("want a directory")
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		// Whoever started the server is gone, however it went.
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Handler:   "sqlite",
		SQLiteURL: "file:" + args[0] + "/",
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return fmt.Errorf("starting FerretDB: %w", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	context.AfterFunc(ctx, func() { l.Close() })
	host := strings.TrimSuffix(strings.TrimPrefix(f.MongoDBURI(), "mongodb://"), "/")
	go admit(l, &gate{host: host})
	fmt.Printf("mongodb://%s/\n", l.Addr())
	if err := f.Run(ctx); err != nil {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// admit accepts clients until the listener closes.
func admit(l net.Listener, g *gate) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go g.pass(client)
	}
}

// A gate lets one command at a time through to the server behind it.
type gate struct {
	host string
	mu   sync.Mutex
}

// pass hands on what a client asks until either side hangs up.
func (g *gate) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", g.host)
	if err != nil {
		return
	}
	defer server.Close()
	asked, answered := bufio.NewReader(client), bufio.NewReader(server)
	for {
		command, err := message(asked)
		if err != nil {
			return
		}
		answer, err := g.ask(server, answered, command)
		if err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

func (g *gate) ask(server net.Conn, answered *bufio.Reader, command []byte) ([]byte, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := server.Write(command); err != nil {
		return nil, err
	}
	answer, err := message(answered)
	if err != nil {
		return nil, err
	}
	return translated(answer)
}

// refused is what FerretDB says where a change would break a unique index, whose
// name stands behind that of a table.
var refused = regexp.MustCompile(`UNIQUE constraint failed: index '.+?_[0-9a-f]{8}_(.+)'`)

// translated is an answer in the words of MongoDB.
func translated(answer []byte) ([]byte, error) {
	const head = 16 + 4 + 1 // of the message, its flags and the kind of its one section
	m := refused.FindSubmatch(answer)
	if m == nil || len(answer) < head {
		return answer, nil
	}
	text, err := bson.Marshal(bson.D{
		{Key: "ok", Value: 0.0}, {Key: "code", Value: int32(11000)}, {Key: "codeName", Value: "DuplicateKey"},
		{Key: "errmsg", Value: fmt.Sprintf("E11000 duplicate key error collection: - index: %s dup key: {}", m[1])},
	})
	if err != nil {
		return nil, fmt.Errorf("translating an answer: %w", err)
	}
	answer = append(answer[:head:head], text...)
	binary.LittleEndian.PutUint32(answer, uint32(len(answer)))
	return answer, nil
}

// message reads one message of the protocol, which begins with its length.
func message(r *bufio.Reader) ([]byte, error) {
	head, err := r.Peek(4)
	if err != nil {
		return nil, err
	}
	const longest = 48_000_000
	n := binary.LittleEndian.Uint32(head)
	if n < 16 || n > longest {
		return nil, fmt.Errorf("message is of %d bytes", n)
	}
	text := make([]byte, n)
	_, err = io.ReadFull(r, text)
	return text, err
}
