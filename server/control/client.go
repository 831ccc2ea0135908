package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"sluice/server/admin"
)

// A Client brings commands to the process that serves from a data folder.
type Client struct {
	http *http.Client
}

var _ admin.Carrier = (*Client)(nil)

// Dial looks whether somebody listens in a data folder, or returns [ErrNobody].
func Dial(ctx context.Context, dir string) (*Client, error) {
	c, err := dial(ctx, dir)
	if err != nil {
		return nil, err
	}
	if err := c.Close(); err != nil {
		return nil, fmt.Errorf("trying the control socket: %w", err)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, dir) },
		DisableKeepAlives: true,
	}}}, nil
}

// Do implements [admin.Carrier]. The context bounds the whole call.
func (c *Client) Do(ctx context.Context, name string, in []byte, out io.Writer) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://sluice/v1/"+name, bytes.NewReader(in))
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	r, err := c.http.Do(q)
	if err != nil {
		return fmt.Errorf("asking the server: %w", err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusOK {
		return refusal(r)
	}
	if _, err := io.Copy(out, r.Body); err != nil {
		return fmt.Errorf("reading what the server answers: %w", err)
	}
	if why := r.Trailer.Get(trailer); why != "" {
		return fmt.Errorf("the server broke off: %s", why)
	}
	return nil
}

// refusal reads why a command was not done.
func refusal(r *http.Response) error {
	var told admin.Refusal
	text, err := io.ReadAll(io.LimitReader(r.Body, maxInput))
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	switch {
	case err != nil || told.Message == "":
		return fmt.Errorf("the server answered %s: are command and server of one release?", r.Status)
	case r.StatusCode == http.StatusInternalServerError:
		return errors.New("the server says: " + told.Message)
	}
	return &told
}

// Close implements [admin.Carrier].
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}
