package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/engine"
	"sluice/server"
)

// A fence is a block of code in the README.
type fence struct {
	lang, text string
	line       int // of its first line
}

// fences cuts the blocks out of a text in Markdown.
func fences(text string) (all []fence) {
	var open *fence
	n := 0
	for line := range strings.Lines(text) {
		n++
		lang, mark := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "```")
		switch {
		case mark && open == nil:
			open = &fence{lang: lang, line: n + 1}
		case mark:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimRight(line, "\r\n") + "\n"
		}
	}
	return all
}

func readme(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A tour follows the README as a reader does: it saves the files, runs the
// commands and compares what they print. The commands are real, but for curl
// and rm, which not every machine has.
type tour struct {
	*testing.T
	root, dir string            // of the module, of the reader
	overlay   map[string]string // Go files that the README adds to the module
	vars      map[string]string // of the shell
	built     map[string]string // programs by package
	serving   *exec.Cmd
	screen    *screen // of serving
	url       string
}

func TestReadmeIsTrue(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the programs of the README")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	r := &tour{T: t, root: root, dir: t.TempDir(), overlay: map[string]string{}, vars: map[string]string{}, built: map[string]string{}}
	if err := os.CopyFS(filepath.Join(r.dir, "flows"), os.DirFS(filepath.Join(root, "flows"))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	for _, f := range fences(readme(t)) {
		switch f.lang {
		case "yaml", "go":
			r.save(f)
		case "console":
			r.follow(f)
		case "text":
			if !r.screen.shows(masked(f.text), 30*time.Second) {
				t.Fatalf("README.md:%d: the server says\n%s\nwant\n%s", f.line, r.screen.text(), f.text)
			}
		}
	}
	for _, command := range []string{"lock", "check"} { // all that the README writes
		if got, code := r.program("post", command); code != 0 {
			t.Errorf("sluice %s = %d, want 0\n%s", command, code, got)
		}
	}
}

var blockName = regexp.MustCompile(`^(?:#|//) (\S+)\n`)

// save writes the file that a block names in its first line. Of a flow that
// comes with Sluice the block is an excerpt, comments and blank lines left out.
func (r *tour) save(f fence) {
	r.Helper()
	m := blockName.FindStringSubmatch(f.text)
	if m == nil {
		r.Fatalf("README.md:%d: the block does not begin with the name of a file", f.line)
	}
	name := filepath.FromSlash(m[1])
	if shipped, err := os.ReadFile(filepath.Join(r.root, name)); err == nil {
		if !strings.Contains(bare(string(shipped)), bare(f.text)) {
			r.Errorf("README.md:%d: the block is not what stands in %s", f.line, name)
		}
		return
	}
	path := filepath.Join(r.dir, name)
	if f.lang == "go" {
		if formatted, err := format.Source([]byte(f.text)); err != nil || string(formatted) != f.text {
			r.Errorf("README.md:%d: gofmt(block) = %v\n%s", f.line, err, formatted)
		}
		r.overlay[filepath.Join(r.root, name)] = path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		r.Fatal(err)
	}
	before := r.reloads()
	if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
		r.Fatal(err)
	}
	if r.serving == nil || f.lang != "yaml" {
		return
	}
	for end := time.Now().Add(30 * time.Second); r.reloads() == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.Fatalf("README.md:%d: the server did not load %s, it says\n%s", f.line, name, r.screen.text())
		}
	}
}

// reloads counts how often the server has loaded its flows anew.
func (r *tour) reloads() int {
	if r.serving == nil {
		return 0
	}
	return len(regexp.MustCompile(`(?m)^reloaded: |still serving`).FindAllString(r.screen.text(), -1))
}

var comment = regexp.MustCompile(`(?m)(^|\s+)#.*$`)

// bare leaves the comments and the blank lines out of YAML.
func bare(text string) string {
	var b strings.Builder
	for line := range strings.Lines(comment.ReplaceAllString(text, "")) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(line)
		}
	}
	return b.String()
}

// follow runs the commands of a block, each behind "$ ", and compares the lines
// below it with what it prints.
func (r *tour) follow(f fence) {
	r.Helper()
	for part := range strings.SplitSeq("\n"+f.text, "\n$ ") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		line, want, _ := strings.Cut(strings.ReplaceAll(part, "\\\n", ""), "\n")
		got := r.command(line)
		if strings.HasPrefix(got, "event: ") {
			want += "\n" // events are lines, and end in an empty one
		} else if strings.HasPrefix(line, "curl ") {
			want = regexp.MustCompile(`\n\s*`).ReplaceAllString(want, "") // an answer is one line
		}
		if !same(want, got) {
			r.Fatalf("README.md:%d: $ %s\n%s\nwant\n%s", f.line, line, got, want)
		}
	}
}

var masks = strings.NewReplacer("localhost:8080", "ADDRESS", "127.0.0.1:8080", "ADDRESS")

var varying = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`sls_[0-9A-Za-z]+`), "TOKEN"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]*`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d [\d:]{8}`), "TIME"},
	{regexp.MustCompile(`\d+ ms`), "N ms"},
	{regexp.MustCompile(`Sluice development.*`), "Sluice"},
}

// masked puts a word in place of what differs from run to run.
func masked(text string) string {
	text = masks.Replace(text)
	for _, v := range varying {
		text = v.pattern.ReplaceAllString(text, v.instead)
	}
	return strings.TrimSpace(text)
}

// same tells whether a text is as the README has it, where … stands for anything.
func same(want, got string) bool {
	parts := strings.Split(masked(want), "…")
	for i, p := range parts {
		parts[i] = regexp.QuoteMeta(p)
	}
	return regexp.MustCompile(`(?s)^` + strings.Join(parts, ".*?") + `$`).MatchString(masked(got))
}

var assignment = regexp.MustCompile(`^([A-Z]+)=\$\((.*) \| grep -o '(.*)'\)$`)

// command runs a command line of the README and returns what it prints.
func (r *tour) command(line string) string {
	r.Helper()
	if m := assignment.FindStringSubmatch(line); m != nil {
		r.vars[m[1]] = regexp.MustCompile(m[3]).FindString(r.command(m[2]))
		return ""
	}
	words := r.words(line)
	switch {
	case words[0] == "curl":
		return r.curl(words[1:])
	case words[0] == "rm":
		if err := os.Remove(filepath.Join(r.dir, words[1])); err != nil {
			r.Fatal(err)
		}
		return ""
	case strings.HasPrefix(line, "go run ./server/cmd/"):
		name := strings.TrimPrefix(words[2], "./server/cmd/")
		if words[3] == "serve" {
			return r.serve(name)
		}
		got, code := r.program(name, words[3:]...)
		if code != 0 {
			got += fmt.Sprintf("exit status %d\n", code) // as go run says
		}
		return got
	}
	r.Fatalf("the README runs %s, which its test does not know", words[0])
	return ""
}

// words splits a command line as a shell does.
func (r *tour) words(line string) (words []string) {
	for _, m := range regexp.MustCompile(`'([^']*)'|"([^"]*)"|([^\s'"]+)`).FindAllStringSubmatch(line, -1) {
		plain := os.Expand(m[2]+m[3], func(name string) string { return r.vars[name] })
		words = append(words, m[1]+plain)
	}
	return words
}

// build builds a program of the module with the files that the README adds.
func (r *tour) build(name string) string {
	r.Helper()
	if r.built[name] != "" {
		return r.built[name]
	}
	data, err := json.Marshal(map[string]any{"Replace": r.overlay})
	if err != nil {
		r.Fatal(err)
	}
	overlay := filepath.Join(r.dir, "overlay.json")
	if err := os.WriteFile(overlay, data, 0o600); err != nil {
		r.Fatal(err)
	}
	program := filepath.Join(r.dir, name+".exe") // a name that every system runs
	cmd := exec.CommandContext(r.Context(), "go", "build", "-buildvcs=false", "-overlay", overlay, "-o", program, "./server/cmd/"+name)
	cmd.Dir = r.root
	if out, err := cmd.CombinedOutput(); err != nil {
		r.Fatalf("building %s: %v\n%s", name, err, out)
	}
	r.built[name] = program
	return program
}

// program runs a program to its end.
func (r *tour) program(name string, args ...string) (output string, code int) {
	r.Helper()
	cmd := exec.CommandContext(r.Context(), r.build(name), args...)
	cmd.Dir = r.dir
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		r.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// serve starts a server in place of the one that runs, on a free port, and
// returns what it says until it is ready.
func (r *tour) serve(name string) string {
	r.Helper()
	r.stop()
	r.screen = &screen{}
	r.serving = exec.Command(r.build(name), "serve", "--addr", "127.0.0.1:0")
	r.serving.Dir, r.serving.Stdout, r.serving.Stderr = r.dir, r.screen, r.screen
	if err := r.serving.Start(); err != nil {
		r.Fatal(err)
	}
	if !r.screen.shows("ready", 30*time.Second) {
		r.Fatalf("%s serve says\n%s\nwant that it is ready", name, r.screen.text())
	}
	said := r.screen.text()
	r.url = regexp.MustCompile(`http://\S+`).FindString(said)
	return strings.ReplaceAll(said, r.url, "http://127.0.0.1:8080")
}

func (r *tour) stop() {
	if r.serving == nil {
		return
	}
	if r.serving.Process.Signal(os.Interrupt) != nil {
		r.serving.Process.Kill() // where there are no signals
	}
	r.serving.Wait() // how it ended is no matter of the README
	r.serving = nil
}

// curl sends a request as the program does, with the flags that the README uses.
func (r *tour) curl(args []string) string {
	r.Helper()
	method, body, after, url := "", "", "", ""
	header := http.Header{"User-Agent": {"curl/8.7.1"}}
	for i := 0; i < len(args); i++ {
		flag := args[i]
		if flag == "-s" || flag == "-N" {
			continue
		}
		if flag[0] != '-' {
			url = flag
			continue
		}
		i++
		switch flag {
		case "-X":
			method = args[i]
		case "-H":
			name, value, _ := strings.Cut(args[i], ": ")
			header.Set(name, value)
		case "-d":
			body = args[i]
		case "-w":
			after = args[i]
		default:
			r.Fatalf("the README calls curl with %s, which its test does not know", flag)
		}
	}
	if method == "" && body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(r.Context(), method, strings.Replace(url, "localhost:8080", r.url, 1), strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header = header
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		r.Fatalf("curl %s: %v", url, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.Fatalf("curl %s: %v", url, err)
	}
	return string(text) + strings.NewReplacer("%{http_code}", fmt.Sprint(res.StatusCode), `\n`, "\n").Replace(after)
}

// A screen is what a program prints, read while it runs.
type screen struct {
	mu  sync.Mutex
	all bytes.Buffer // guarded by mu
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}

// shows waits until a text is on the screen, for as long as it may take.
func (s *screen) shows(text string, long time.Duration) bool {
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(masked(s.text()), text) {
			return true
		}
	}
	return false
}

func TestReadmeNamesEverySetting(t *testing.T) {
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (?:`(\\S+)`)? ?\\|").FindAllStringSubmatch(readme(t), -1) {
		rows[m[1]] = m[2]
	}
	for _, s := range server.Settings() {
		if got, ok := rows[s.Name]; !ok || got != s.Default {
			t.Errorf("README.md has setting %s with default %q, there: %t, want %q", s.Name, got, ok, s.Default)
		}
	}
}

func TestReadmeNamesEveryKeyOfAFlow(t *testing.T) {
	text := readme(t)
	for _, key := range engine.HeaderKeys() {
		if !regexp.MustCompile("(?m)^\\| [^|]*`" + key + "`[^|]* \\|").MatchString(text) {
			t.Errorf("README.md has no row for the key %s", key)
		}
	}
}

func TestReadmeNamesEveryCommandOfAnOwner(t *testing.T) {
	text := readme(t)
	for _, command := range []string{
		"user list", "user show", "user add", "user disable", "user enable", "user groups", "user password", "user delete",
		"session list", "session end ID", "session end-all", "backup", "restore", "migrate", "doctor",
	} {
		if !regexp.MustCompile("(?m)^\\| [^|]*`" + command + "[^|]* \\|").MatchString(text) {
			t.Errorf("README.md has no row for sluice %s", command)
		}
	}
}

func TestReadmeNamesWhatIsThere(t *testing.T) {
	text := readme(t)
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
		if _, err := os.Stat(filepath.Join("..", m[1])); err != nil {
			t.Errorf("README.md links to %s: %v", m[1], err)
		}
	}
	looked := 0
	for _, f := range fences(text) {
		if !strings.HasPrefix(f.text, "engine/") {
			continue
		}
		dir := "" // of the lines that are indented
		for line := range strings.Lines(f.text) {
			name := strings.Fields(line)[0]
			if strings.HasPrefix(line, strings.Repeat(" ", 10)) {
				continue // more of what the line above says
			}
			if line[0] != ' ' {
				dir = name
			} else {
				name = dir + name
			}
			looked++
			if _, err := os.Stat(filepath.Join("..", name)); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("README.md has %s in its tree, which is not there", name)
			}
		}
	}
	if looked == 0 {
		t.Error("README.md has no tree of folders")
	}
}
