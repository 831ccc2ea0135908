package cli

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"sluice/server"
	"sluice/server/flowtest"
)

// A trial is what sluice test was asked to do.
type trial struct {
	only     string
	allPaths bool
	coverage string
	junit    string
	store    string
	verbose  bool
}

func testCommand() command {
	return command{
		name: "test", args: "[DIR]", most: 1,
		about: "Runs the tests that stand beside flows: orders.test.yaml tests orders.yaml.",
		more: `Each test is one request to the real endpoint, on a store of its own, without a
network. What was got and what was wanted is told with its place in the test file, and
so is every way out of a step that no test takes. It exits with 1 where a test fails.

A test looks like this:

  - name: a wrong password says nothing about the account
    given:
      users: [{email: ada@example.com, password: a ferry across the river}]
    send: {body: {email: ada@example.com, password: another ferry}}
    want: {status: 401, code: invalid_credentials, skipped: [session]}

Examples:

  sluice test
  sluice test ./flows --run 'sign-in|password' -v
  sluice test --all-paths --coverage coverage.json --junit report.xml
`,
		define: func(flags *flag.FlagSet) func(context.Context, *call) error {
			var t trial
			flags.StringVar(&t.only, "run", "", "Run the tests whose file and name match this regular expression.")
			flags.BoolVar(&t.allPaths, "all-paths", false, "Also walk every path through every flow with made-up nodes, and check what must hold for every flow.")
			flags.StringVar(&t.coverage, "coverage", "", "File to write which ways were taken to, as JSON.")
			flags.StringVar(&t.junit, "junit", "", "File to write the results to in the form of JUnit, for CI servers.")
			flags.StringVar(&t.store, "store", "memory", "Store of each test: memory or sqlite. Default: memory")
			flags.BoolVar(&t.verbose, "v", false, "Tell every test, not only those that fail.")
			return func(ctx context.Context, c *call) error { return c.test(ctx, t) }
		},
	}
}

func (c *call) test(ctx context.Context, t trial) error {
	only, err := regexp.Compile(t.only)
	if err != nil {
		return misused(fmt.Sprintf("--run: %v", err))
	}
	if t.store != "memory" && t.store != "sqlite" {
		return misused(fmt.Sprintf("--store: want memory or sqlite, not %q", t.store))
	}
	conf, problems, err := c.configure(nil)
	if err := cmp.Or(err, problems.Err()); err != nil {
		return err
	}
	if len(c.args) > 0 {
		conf.Flows = c.args[0]
	}
	suite, err := server.Tests(conf, t.store == "sqlite", append([]server.Option{server.Getenv(c.Getenv)}, c.opts...)...)
	if err != nil {
		return err
	}
	report, err := suite.Run(ctx, flowtest.Options{Only: only, Done: func(f flowtest.File) { c.tellFile(f, t.verbose) }})
	if err != nil {
		return err
	}
	good, err := c.tellReport(report, t)
	if err != nil {
		return err
	}
	if t.allPaths {
		sound, err := c.testPaths(ctx, suite)
		if err != nil {
			return err
		}
		good = good && sound
	}
	if !good {
		return errTold
	}
	return nil
}

// tellFile prints what came of the tests of a file.
func (c *call) tellFile(f flowtest.File, verbose bool) {
	word, more := "ok  ", ""
	if n := f.Failed(); n > 0 {
		word, more = "FAIL", fmt.Sprintf(", %d failed", n)
	}
	fmt.Fprintf(c.Stdout, "%s  %s  %s%s, %s\n", word, f.Name, count(len(f.Tests), "test"), more, millis(f.Took))
	for _, r := range f.Tests {
		switch {
		case len(r.Fails) > 0:
			fmt.Fprintf(c.Stdout, "  %v: %s\n", r.Pos, r.Name)
		case verbose:
			fmt.Fprintf(c.Stdout, "  ok  %s, %s\n", r.Name, millis(r.Took))
		}
		for _, fail := range r.Fails {
			fmt.Fprintf(c.Stdout, "    %v\n", fail)
		}
	}
}

// tellReport prints the end of a run and writes its files. It tells whether all
// is well.
func (c *call) tellReport(r *flowtest.Report, t trial) (bool, error) {
	if t.coverage != "" {
		if err := c.writeTo(t.coverage, r.WriteCoverage); err != nil {
			return false, err
		}
	}
	if t.junit != "" {
		if err := c.writeTo(t.junit, r.WriteJUnit); err != nil {
			return false, err
		}
	}
	passed, failed := r.Counts()
	switch {
	case passed+failed == 0 && t.only != "":
		return false, fmt.Errorf("no test matches %q", t.only)
	case passed+failed == 0:
		fmt.Fprintln(c.Stdout, "no tests (those of orders.yaml are written beside it, in orders.test.yaml)")
		return true, nil
	}
	if t.only == "" { // or most ways are missed on purpose
		for _, way := range r.Missed() {
			fmt.Fprintf(c.Stdout, "%s is taken by no test\n", way)
		}
	}
	fmt.Fprintln(c.Stdout, r.Summary())
	return failed == 0, nil
}

// testPaths walks all paths and tells whether all is well.
func (c *call) testPaths(ctx context.Context, suite *flowtest.Suite) (bool, error) {
	walked, err := suite.Paths(ctx)
	if err != nil {
		return false, err
	}
	var took time.Duration
	paths, breaches := 0, 0
	for _, w := range walked {
		word, more := "ok  ", ""
		if len(w.Breaches) > 0 {
			word = "FAIL"
		}
		if w.Cut {
			more = ", and there are more"
		}
		fmt.Fprintf(c.Stdout, "%s  %s  %s%s, %s\n", word, w.File, count(w.Paths, "path"), more, millis(w.Took))
		for _, b := range w.Breaches {
			fmt.Fprintf(c.Stdout, "    %v\n", b)
		}
		paths, breaches, took = paths+w.Paths, breaches+len(w.Breaches), took+w.Took
	}
	fmt.Fprintf(c.Stdout, "%s walked in %s, %s\n", count(paths, "path"), millis(took), count(breaches, "problem"))
	return breaches == 0, nil
}

// writeTo writes a file, which is made or emptied.
func (c *call) writeTo(name string, write func(io.Writer) error) error {
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.Dir, name)
	}
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("making a file: %w", err)
	}
	return errors.Join(write(f), f.Close())
}
