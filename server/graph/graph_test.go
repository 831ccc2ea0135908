package graph_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/engine"
	"sluice/server"
	"sluice/server/graph"
)

var update = flag.Bool("update", false, "write the golden files anew")

// graphs draws the flows of testdata, by their files, and those that come with
// Sluice.
func graphs(t *testing.T) map[string]*graph.Graph {
	t.Helper()
	all := map[string]*graph.Graph{}
	for _, conf := range []server.Config{{Flows: "testdata"}, {Dir: t.TempDir()}} {
		flows, err := server.Check(conf)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range flows.Nodes {
			all[n.File] = graph.NodeFlow(n)
		}
		for _, f := range flows.All {
			all[f.File] = graph.Endpoint(f)
		}
	}
	return all
}

func TestDrawingsStayAsTheyAre(t *testing.T) {
	all := graphs(t)
	for _, file := range []string{"auth/sign-in.yaml", "order.yaml", "node.yaml", "events.yaml", "examples/shop/checkout.yaml"} {
		for ending, got := range map[string]string{".svg": all[file].SVG(), ".mmd": all[file].Mermaid()} {
			golden := filepath.Join("testdata", strings.TrimSuffix(filepath.Base(file), ".yaml")+ending)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil || got != string(want) {
				t.Errorf("drawing of %s is not that of %s, %v; look at it with -update", file, golden, err)
			}
		}
	}
}

func TestDrawingsAreTheSameEachTime(t *testing.T) {
	first, second := graphs(t), graphs(t)
	for file, g := range first {
		if g.SVG() != second[file].SVG() || g.Mermaid() != second[file].Mermaid() {
			t.Errorf("two drawings of %s differ", file)
		}
	}
}

// text reads the texts of a drawing as a reader of XML does.
func text(t *testing.T, svg string) []string {
	t.Helper()
	var all []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("SVG() is not XML: %v", err)
		}
		if s, ok := token.(xml.CharData); ok && strings.TrimSpace(string(s)) != "" {
			all = append(all, strings.TrimSpace(string(s)))
		}
	}
}

func TestTextsAreTexts(t *testing.T) {
	all := graphs(t)
	for file, wants := range map[string][]string{
		"auth/sign-in.yaml": {"POST /auth/sign-in", "session none", "user.fetch", "notFound", "mismatch", "401 invalid_credentials", "503 busy", "200 OK"},
		"order.yaml":        {"groups shop, beta", "$body.urgent and len($body.ids) > 3", "each $body.ids", "undo, if a later step fails", "404 notFound", "201 Created"},
		"node.yaml":         {"somebody.find", "404 away", "return"},
	} {
		got := text(t, all[file].SVG())
		for _, want := range wants {
			if !slices.Contains(got, want) {
				t.Errorf("SVG() of %s shows %q, want %q among it", file, got, want)
			}
		}
	}
}

func TestTitlesCannotBreakOut(t *testing.T) {
	evil := `</text><script>"]` + "\n"
	g := graph.Endpoint(&engine.Flow{Method: "GET", Path: "/", About: evil, Steps: []engine.Step{{Verb: "node", Word: evil}}})
	text(t, g.SVG())
	_, chart, _ := strings.Cut(g.Mermaid(), "\n") // below the comment
	for name, got := range map[string]string{"SVG": g.SVG(), "Mermaid": chart} {
		if strings.Contains(got, "<script>") {
			t.Errorf("%s() holds the markup of a flow:\n%s", name, got)
		}
	}
}
