// Command tally reads the output of go test -json from standard input, shows
// on standard error what failed and how each package went, and prints the
// counts of all tests and subtests on standard output.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// An event is one line of go test -json.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64 // seconds
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	passed, failed, skipped := 0, 0, 0
	said := map[string]*strings.Builder{} // by package and test, until it is over
	failing := map[string]bool{}          // packages with a test that failed
	for in.Scan() {
		var e event
		if json.Unmarshal(in.Bytes(), &e) != nil {
			fmt.Fprintln(os.Stderr, in.Text()) // what is no event is for people
			continue
		}
		if e.Package == "" {
			e.Package = e.ImportPath // of what does not build
		}
		key := e.Package + " " + e.Test
		switch e.Action {
		case "output", "build-output":
			if said[key] == nil {
				said[key] = &strings.Builder{}
			}
			said[key].WriteString(e.Output)
			continue
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				fmt.Fprintf(os.Stderr, "ok    %-28s %6.1fs\n", e.Package, e.Elapsed)
			}
		case "skip":
			if e.Test != "" {
				skipped++
			}
		case "build-fail":
			show(said[key])
			continue
		case "fail":
			show(said[key])
			// A package that does not build, or crashes, fails without a test.
			if e.Test != "" || !failing[e.Package] {
				failed++
			}
			failing[e.Package] = true
		default:
			continue
		}
		delete(said, key)
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		failed++
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func show(output *strings.Builder) {
	if output != nil {
		fmt.Fprint(os.Stderr, output)
	}
}
