package flowtext_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"sluice/flows"
	"sluice/server/flowtext"
)

// shipped are the flows that come with Sluice, by their files.
func shipped(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(flows.FS, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".test.yaml") {
			return err
		}
		text, err := fs.ReadFile(flows.FS, file)
		if strings.Contains(string(text), "\nsteps:") {
			all[file] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, text string) *flowtext.Tree {
	t.Helper()
	tree, err := flowtext.Read("flow.yaml", text)
	if err != nil {
		t.Fatalf("Read(%q): %v", text, err)
	}
	return tree
}

// commented writes comments above lines of a flow and behind them, where that
// does not change what it means.
func commented(t *testing.T, r *rand.Rand, text string) string {
	tree := read(t, text)
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	n := 0
	for i := 0; i < len(all); i++ {
		if strings.TrimSpace(all[i]) == "" || r.IntN(4) > 0 {
			continue
		}
		with := slices.Clone(all)
		n++
		if r.IntN(2) == 0 {
			with[i] += fmt.Sprintf("   # behind %d", n)
		} else {
			with = slices.Insert(with, i, all[i][:flowtext.Indent(all[i])]+fmt.Sprintf("# above %d", n))
		}
		if changed, err := flowtext.Read("", strings.Join(with, "\n")+"\n"); err == nil && flowtext.Same(changed.Root, tree.Root) {
			i += len(with) - len(all)
			all = with
		}
	}
	return strings.Join(all, "\n") + "\n"
}

// A gesture is a change at random, and which lines of the text it may touch.
type gesture struct {
	name  string
	do    func(*flowtext.Tree) (string, error)
	place string // what it is about: what is outside stays as it is
}

// pick returns one of the places that a test allows.
func pick(r *rand.Rand, tree *flowtext.Tree, fits func(*flowtext.Spot) bool) (string, bool) {
	var all []string
	tree.Walk(func(s *flowtext.Spot) bool {
		if fits(s) {
			all = append(all, s.Place)
		}
		return true
	})
	if len(all) == 0 {
		return "", false
	}
	return all[r.IntN(len(all))], true
}

func isStep(s *flowtext.Spot) bool { return flowtext.IsStep(s.Place) }

var values = []string{
	`"$body.email"`, `"a text: with # signs"`, `12`, `true`, `"yes"`, `"\"quoted\" and 'single'"`, `{"a": "$user.id", "b": [1, "two", {"c": null}]}`,
	`"= len($body.items) > 3"`, `[]`, `{}`, `"👋 {$user.name}"`, `"- dash"`, `"line one\nline two"`, `""`, `1.5`, `"~"`, `"{$a}"`,
	`{"long": "a text that goes on and on and on", "other": "a text that goes on and on and on", "third": "a text that goes on"}`,
}

func node(t *testing.T, json string) *yaml.Node {
	t.Helper()
	n, err := flowtext.FromJSON([]byte(json))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func random(t *testing.T, r *rand.Rand, tree *flowtext.Tree) gesture {
	step, _ := pick(r, tree, isStep)
	other, _ := pick(r, tree, isStep)
	value := node(t, values[r.IntN(len(values))])
	switch r.IntN(9) {
	case 0:
		place, ok := pick(r, tree, func(s *flowtext.Spot) bool { return s.Value.Kind == yaml.ScalarNode })
		if ok {
			return gesture{"set " + place, func(t *flowtext.Tree) (string, error) { return t.Set(place, value) }, place}
		}
	case 1:
		place := step + "/with/made" + fmt.Sprint(r.IntN(1e9))
		return gesture{"add " + place, func(t *flowtext.Tree) (string, error) { return t.Set(place, value) }, step}
	case 2:
		place, ok := pick(r, tree, func(s *flowtext.Spot) bool { return !isStep(s) && s.Up.Up != nil })
		if ok {
			return gesture{"unset " + place, func(t *flowtext.Tree) (string, error) { return t.Unset(place) }, tree.Alone(place)}
		}
	case 3:
		place := []string{step, step + "/on/notFound/0", step + "/then/0", other}[r.IntN(4)]
		made := node(t, `{"id": "made", "node": "user.fetch", "with": {"id": "$body.id"}, "on": {"notFound": [{"fail": "gone"}]}}`)
		around, _ := flowtext.Split(place)
		return gesture{"insert " + place, func(t *flowtext.Tree) (string, error) { return t.Insert(place, made) }, around}
	case 4:
		if !strings.HasPrefix(other+"/", step+"/") && tree.Alone(step) == step {
			return gesture{"move " + step + " " + other, func(t *flowtext.Tree) (string, error) {
				text, _, err := t.Move(step, other)
				return text, err
			}, ""}
		}
	case 5:
		if !strings.HasPrefix(other+"/", step+"/") {
			around, _ := flowtext.Split(other)
			return gesture{"copy " + step + " " + other, func(t *flowtext.Tree) (string, error) { return t.Copy(step, other) }, around}
		}
	case 6:
		if len(tree.Find("steps").Value.Content) > 1 {
			return gesture{"delete " + step, func(t *flowtext.Tree) (string, error) { return t.Unset(step) }, tree.Alone(step)}
		}
	case 7:
		place, ok := pick(r, tree, func(s *flowtext.Spot) bool { return s.Key != nil })
		if ok {
			name := "named" + fmt.Sprint(r.IntN(1e9))
			return gesture{"key " + place, func(t *flowtext.Tree) (string, error) { return t.Key(place, name) }, place}
		}
	case 8:
		if body := tree.Find("input/body"); body == nil || body.Value.Kind == yaml.MappingNode { // and not any
			place := "input/body/made" + fmt.Sprint(r.IntN(1e9))
			return gesture{"add " + place, func(t *flowtext.Tree) (string, error) { return t.Set(place, node2) }, ""}
		}
	}
	return gesture{"set session", func(t *flowtext.Tree) (string, error) { return t.Set("session", flowtext.Word("required")) }, "session"}
}

var node2 = flowtext.Map("type", flowtext.Word("string"))

// comments are those of a text, which all begin with one of two words.
func comments(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		for _, word := range []string{"# above ", "# behind "} {
			if i := strings.Index(line, word); i >= 0 {
				all = append(all, line[i:])
			}
		}
	}
	slices.Sort(all)
	return all
}

func TestGesturesTouchOnlyWhatTheyAreAbout(t *testing.T) {
	all := shipped(t)
	files := make([]string, 0, len(all))
	for file := range all {
		files = append(files, file)
	}
	slices.Sort(files)
	if len(files) < 50 {
		t.Fatalf("there are %d flows, want 50", len(files))
	}
	done, refused := 0, 0
	for i, file := range files {
		r := rand.New(rand.NewPCG(11, uint64(i)))
		text := commented(t, r, all[file])
		for range 30 {
			tree := read(t, text)
			if tree.Find("steps") == nil || tree.Find("steps/0") == nil {
				break
			}
			g := random(t, r, tree)
			next, err := g.do(tree)
			if err != nil {
				refused++
				t.Errorf("%s: %s: %v in\n%s", file, g.name, err, text)
				continue
			}
			done++
			outside(t, file, g, tree, next)
			text = next
		}
	}
	t.Logf("%d gestures, %d refused", done, refused)
	if done < 1000 {
		t.Errorf("did %d gestures, want 1000", done)
	}
}

// outside compares what is not of the place that a gesture is about.
func outside(t *testing.T, file string, g gesture, tree *flowtext.Tree, next string) {
	t.Helper()
	before, after := strings.Split(tree.S, "\n"), strings.Split(next, "\n")
	same := 0
	for same < min(len(before), len(after)) && before[same] == after[same] {
		same++
	}
	s := tree.Find(g.place)
	if s != nil && g.place != "" {
		from, _ := tree.Lines2(s)
		same = min(same, from) // of lines that are alike, the first ones are no more those that stay
	}
	end := 0
	for end < min(len(before), len(after))-same && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	first, last := same, len(before)-1-end // lines of the text before that changed
	if s != nil && g.place != "" {
		from, to := tree.Lines2(s)
		if last >= first && (first < from-1 || last > to+1) {
			t.Errorf("%s: %s changes the lines %d to %d, want none outside of %d to %d:\n%s\n->\n%s", file, g.name, first+1, last+1, from+1, to+1, tree.S, next)
		}
		for _, c := range comments(strings.Join(append(slices.Clone(before[:max(0, from)]), before[min(len(before), to+1):]...), "\n")) {
			if !slices.Contains(comments(next), c) {
				t.Errorf("%s: %s loses %s:\n%s\n->\n%s", file, g.name, c, tree.S, next)
			}
		}
	} else if was, is := comments(tree.S), comments(next); !slices.Equal(was, is) {
		t.Errorf("%s: %s has the comments %v, want %v:\n%s\n->\n%s", file, g.name, is, was, tree.S, next)
	}
}
