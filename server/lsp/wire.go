package lsp

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
)

// maxMessage bounds what an editor may send at once, in bytes.
const maxMessage = 64 << 20

// A message is one of JSON-RPC 2.0: a request has an id and a method, a
// notification only a method, an answer only an id.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  any             `json:"result,omitempty"`
	Error   *failure        `json:"error,omitempty"`
}

// null is the result of a request that has none to give, which an answer must say.
var null = json.RawMessage("null")

// A failure is why a request was not answered.
type failure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (f *failure) Error() string { return f.Message }

// Codes of failures.
const (
	parseError     = -32700
	invalidRequest = -32600
	unknownMethod  = -32601
	invalidParams  = -32602
	internalError  = -32603
	notInitialized = -32002
	requestFailed  = -32803
)

// A wire carries messages, each behind a header that tells its length.
type wire struct {
	in  *bufio.Reader
	out io.Writer
}

func newWire(in io.Reader, out io.Writer) *wire { return &wire{bufio.NewReader(in), out} }

// errGarbled is wrapped by what is wrong with a message whose end is known.
var errGarbled = errors.New("message is not JSON")

// receive returns the next message, or io.EOF behind the last one.
func (w *wire) receive() (*message, error) {
	header, err := textproto.NewReader(w.in).ReadMIMEHeader()
	switch {
	case errors.Is(err, io.EOF) && len(header) == 0:
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("reading header of message: %w", err)
	}
	n, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || n < 0 || n > maxMessage {
		return nil, fmt.Errorf("reading header of message: its Content-Length is %q", header.Get("Content-Length"))
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(w.in, body); err != nil {
		return nil, fmt.Errorf("reading message: %w", err)
	}
	m := &message{}
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("%w: %w", errGarbled, err)
	}
	return m, nil
}

func (w *wire) send(m message) error {
	m.Version = "2.0"
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing message: %w", err)
	}
	if _, err := fmt.Fprintf(w.out, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		return fmt.Errorf("writing message: %w", err)
	}
	return nil
}
