// Command provider serves a provider of OpenID Connect, that of a library which
// others certify, for the tests of sign-in at one. It is a module of its own, so
// that Sluice does not depend on it. It knows one client and one user, prints its
// issuer and ends with its standard input:
//
//	go run . CLIENT SECRET REDIRECT
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("want a client, its secret and where it is sent back to")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the library logs each request
	issuer := "http://" + l.Addr().String()
	known := storage.NewStorageWithClients(storage.NewUserStore(issuer), map[string]*storage.Client{
		args[0]: storage.WebClient(args[0], args[1], args[2]),
	})
	serving := make(chan error, 1)
	go func() {
		serving <- http.Serve(l, exampleop.SetupServer(issuer, known, nil, false, op.WithAllowInsecure()))
	}()
	gone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whoever started it is gone, however it went
		close(gone)
	}()
	fmt.Println(issuer)
	select {
	case err := <-serving:
		return fmt.Errorf("serving: %w", err)
	case <-gone:
		return nil
	}
}
