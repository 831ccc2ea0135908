// Command browser drives Chromium for the tests. It is a module of its own, so
// that Sluice does not depend on what it takes. The browser has a virtual
// authenticator, a device of a user who can be verified on it:
//
//	go run . CHROMIUM PAGE
//
// It opens the page, prints a line, and then answers each line of its standard
// input by one: an object of JSON with open (a page to go to), run (a script
// whose value is awaited) or verified (whether the user can be verified from now
// on), by an object with value or error. It ends with its standard input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

// patience is how long one order may take.
const patience = 20 * time.Second

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("want the program of the browser, and a page")
	}
	dir, err := os.MkdirTemp("", "sluice-browser-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath(args[0]), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
	)
	defer stop()
	ctx, leave := chromedp.NewContext(ctx)
	defer leave()
	device, err := chromedp.Run(ctx, addDevice)
	if err == nil {
		err = chromedp.Do(ctx, chromedp.Navigate(args[1]))
	}
	if err != nil {
		return fmt.Errorf("starting the browser: %w", err)
	}
	fmt.Fprintln(out, "ready")
	orders := bufio.NewScanner(in)
	orders.Buffer(nil, 1<<20)
	for orders.Scan() {
		text, err := json.Marshal(obey(ctx, device, orders.Bytes()))
		if err != nil {
			return fmt.Errorf("writing an answer: %w", err)
		}
		fmt.Fprintf(out, "%s\n", text)
	}
	return orders.Err()
}

// addDevice gives the browser its authenticator.
func addDevice(ctx context.Context, t *chromedp.Target) (webauthn.AuthenticatorID, error) {
	if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		return "", err
	}
	added, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	return added.AuthenticatorID, err
}

// An order is what the browser is told, and a report what came of it.
type (
	order struct {
		Open     string `json:"open"`
		Run      string `json:"run"`
		Verified *bool  `json:"verified"`
	}
	report struct {
		Value json.RawMessage `json:"value,omitempty"`
		Error string          `json:"error,omitempty"`
	}
)

func obey(ctx context.Context, device webauthn.AuthenticatorID, line []byte) (r report) {
	var o order
	if err := json.Unmarshal(line, &o); err != nil {
		return report{Error: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var err error
	switch {
	case o.Open != "":
		err = chromedp.Do(ctx, chromedp.Navigate(o.Open))
	case o.Verified != nil:
		err = chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: device, IsUserVerified: *o.Verified})
			return err
		}))
	default:
		r.Value, err = chromedp.Run(ctx, chromedp.Evaluate[[]byte](o.Run, chromedp.EvalAwaitPromise))
	}
	if err != nil {
		return report{Error: err.Error()}
	}
	return r
}
