package flowtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"
)

// WriteJUnit writes the report in the form that CI servers read.
func (r *Report) WriteJUnit(w io.Writer) error {
	type failure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type testcase struct {
		Name    string   `xml:"name,attr"`
		Class   string   `xml:"classname,attr"`
		File    string   `xml:"file,attr"`
		Line    int      `xml:"line,attr"`
		Time    string   `xml:"time,attr"`
		Failure *failure `xml:"failure"`
	}
	type testsuite struct {
		Name     string     `xml:"name,attr"`
		Tests    int        `xml:"tests,attr"`
		Failures int        `xml:"failures,attr"`
		Time     string     `xml:"time,attr"`
		Cases    []testcase `xml:"testcase"`
	}
	root := struct {
		XMLName  xml.Name    `xml:"testsuites"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Suites   []testsuite `xml:"testsuite"`
	}{Time: seconds(r.Took)}
	passed, failed := r.Counts()
	root.Tests, root.Failures = passed+failed, failed
	for _, f := range r.Files {
		suite := testsuite{Name: f.Name, Tests: len(f.Tests), Failures: f.Failed(), Time: seconds(f.Took)}
		for _, t := range f.Tests {
			c := testcase{Name: t.Name, Class: f.Name, File: t.Pos.File, Line: t.Pos.Line, Time: seconds(t.Took)}
			if len(t.Fails) > 0 {
				lines := make([]string, len(t.Fails))
				for i, fail := range t.Fails {
					lines[i] = fail.String()
				}
				c.Failure = &failure{t.Fails[0].What, strings.Join(lines, "\n")}
			}
			suite.Cases = append(suite.Cases, c)
		}
		root.Suites = append(root.Suites, suite)
	}
	text, err := xml.MarshalIndent(root, "", "  ")
	if err != nil {
		return fmt.Errorf("writing JUnit report: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, text); err != nil {
		return fmt.Errorf("writing JUnit report: %w", err)
	}
	return nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
