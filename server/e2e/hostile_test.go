package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A hostile input is one line of testdata/bad_inputs.jsonl: a request, the bytes
// of one, or a flow file (Method LOAD), and what must come of it.
type hostile struct {
	Name           string
	Method         string
	Kind           string `json:"path-kind"`
	Headers        map[string]*string
	HeaderGen      map[string]filler `json:"header_gen"`
	Path           string            `json:"raw_path"`
	PathArg        string            `json:"path_arg"`
	Query          string
	Body           string
	BodyBytes      []byte  `json:"body_b64"`
	BodyGen        *filler `json:"body_gen"`
	Raw            []byte  `json:"raw_b64"`
	Status         []int
	Sequence       []int `json:"expect_sequence"`
	MaxResponses   int   `json:"max_responses"` // 0 for any number
	SilenceAllowed bool  `json:"ok_no_response"`
	Expectation    string
}

// A filler says how to make a text that is too long for the file.
type filler struct {
	Pre, Rep, Mid, Rep2, Post string
	N                         int
	Zeros                     int `json:"gzip_zeros_mib"` // MiB of zeros, compressed
}

func (f *filler) bytes() ([]byte, error) {
	if f.Zeros == 0 {
		return []byte(f.Pre + strings.Repeat(f.Rep, f.N) + f.Mid + strings.Repeat(f.Rep2, f.N) + f.Post), nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range f.Zeros {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			return nil, fmt.Errorf("compressing zeros: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compressing zeros: %w", err)
	}
	return b.Bytes(), nil
}

// hostiles reads the list.
func hostiles(t *testing.T) []hostile {
	t.Helper()
	file, err := os.Open("testdata/bad_inputs.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []hostile
	for d := json.NewDecoder(bufio.NewReader(file)); ; {
		var h hostile
		if err := d.Decode(&h); err == io.EOF {
			return list
		} else if err != nil {
			t.Fatalf("reading hostile input %d: %v", len(list), err)
		}
		list = append(list, h)
	}
}

// vars are what stands for {{NAME}} in hostile inputs.
type vars map[string]string

var variable = regexp.MustCompile(`\{\{([A-Z0-9_]+)\}\}`)

func (v vars) fill(t *testing.T, b []byte) []byte {
	return variable.ReplaceAllFunc(b, func(name []byte) []byte {
		value, ok := v[string(name[2:len(name)-2])]
		if !ok {
			t.Errorf("%s has no value", name)
		}
		return []byte(value)
	})
}

// request makes the bytes to send. paths are the paths of the kinds.
func (h *hostile) request(t *testing.T, paths map[string]string, v vars) []byte {
	if h.Method == "RAW" {
		return v.fill(t, h.Raw)
	}
	path := paths[h.Kind]
	if h.Path != "" {
		path = h.Path
	}
	if h.PathArg != "" {
		path += "/" + h.PathArg
	}
	if h.Query != "" {
		path += "?" + strings.ReplaceAll(h.Query, " ", "%20")
	}
	body := []byte(h.Body)
	switch {
	case h.BodyBytes != nil:
		body = h.BodyBytes
	case h.BodyGen != nil:
		var err error
		if body, err = h.BodyGen.bytes(); err != nil {
			t.Fatal(err)
		}
	}
	body = v.fill(t, body)
	headers := map[string]string{"Host": "localhost", "Connection": "close"}
	for name, value := range h.Headers {
		if value != nil {
			headers[name] = *value
		}
	}
	for name, f := range h.HeaderGen {
		value, err := f.bytes()
		if err != nil {
			t.Fatal(err)
		}
		headers[name] = string(value)
	}
	if len(body) > 0 || slices.Contains([]string{"POST", "PUT", "PATCH"}, h.Method) {
		headers["Content-Length"] = strconv.Itoa(len(body))
	}
	head := h.Method + " " + path + " HTTP/1.1\r\n"
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		head += name + ": " + headers[name] + "\r\n"
	}
	return append(v.fill(t, []byte(head+"\r\n")), body...)
}

var statusLine = regexp.MustCompile(`HTTP/1\.[01] (\d{3}) `)

// exchange sends bytes over a connection of their own and reads until the server
// closes it or says nothing for a while.
func exchange(addr string, send []byte, silence time.Duration) (statuses []int, got []byte, err error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting: %w", err)
	}
	defer conn.Close()
	sent := make(chan bool)
	go func() {
		defer close(sent)
		conn.Write(send) // the server may refuse before it has read all
	}()
	var b bytes.Buffer
	buf := make([]byte, 64<<10)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return nil, nil, fmt.Errorf("setting a deadline: %w", err)
		}
		n, err := conn.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break // closed, or silent: what it said is what counts
		}
	}
	conn.Close()
	<-sent
	for _, m := range statusLine.FindAllSubmatch(b.Bytes(), -1) {
		status, err := strconv.Atoi(string(m[1]))
		if err != nil {
			return nil, nil, fmt.Errorf("reading status: %w", err)
		}
		statuses = append(statuses, status)
	}
	return statuses, b.Bytes(), nil
}

// judge says what is wrong with the answers to an input.
func (h *hostile) judge(statuses []int, got []byte) (wrong []string) {
	for _, s := range statuses {
		if s >= 500 && !slices.Contains(h.Status, s) {
			wrong = append(wrong, "a failure of the server")
		}
	}
	switch {
	case h.Sequence != nil && !slices.Equal(statuses, h.Sequence):
		wrong = append(wrong, fmt.Sprintf("not the sequence %v", h.Sequence))
	case h.Sequence != nil:
	case len(statuses) == 0 && !h.SilenceAllowed:
		wrong = append(wrong, "no answer")
	case len(statuses) > 0 && !slices.Contains(h.Status, statuses[0]):
		wrong = append(wrong, fmt.Sprintf("not one of %v", h.Status))
	}
	if h.MaxResponses > 0 && len(statuses) > h.MaxResponses {
		wrong = append(wrong, "a smuggled request was answered")
	}
	for _, secret := range []string{"argon2id$", "$2a$", "goroutine ", ".go:", "mongodb://", `contents: "`} {
		if bytes.Contains(got, []byte(secret)) {
			wrong = append(wrong, "it shows "+secret)
		}
	}
	return wrong
}

// rss is the memory of a process in MiB, or 0 where the system does not tell.
func rss(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	kib, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return 0
	}
	return kib / 1024
}
