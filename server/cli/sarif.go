package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/engine"
)

// The parts of SARIF 2.1.0 that code hosts show.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
		Help  sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				StartLine   int `json:"startLine"`
				StartColumn int `json:"startColumn"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// sarif writes findings as SARIF, a rule for each kind. Files are named from the
// folder dir, where they are below it.
func (f *findings) sarif(dir string) ([]byte, error) {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "Sluice", Version: version()}
	for i, kind := range []struct {
		id, about, help string
		problems        engine.Problems
	}{
		{"flow", "A flow that does not load", "Every reference, type, outcome and way through a flow is checked before it is served.", slices.Concat(f.flows, f.warnings)},
		{"lock", "An endpoint that permits more than flows.lock", "Change the flow, or accept it with sluice lock and review the change of the file.", f.lock},
		{"setting", "A setting that cannot be", "sluice help serve lists all settings.", f.settings},
	} {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{kind.id, sarifText{kind.about}, sarifText{kind.help}})
		for _, p := range kind.problems {
			r := sarifResult{RuleID: kind.id, RuleIndex: i, Level: level(p), Message: sarifText{withHint(p.Message, p.Hint)}}
			var at sarifLocation
			at.Physical.Artifact.URI = fileURI(dir, p.File)
			at.Physical.Region.StartLine, at.Physical.Region.StartColumn = p.Line, p.Column
			r.Locations = []sarifLocation{at}
			run.Results = append(run.Results, r)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}); err != nil {
		return nil, fmt.Errorf("writing SARIF: %w", err)
	}
	return b.Bytes(), nil
}

func level(p engine.Problem) string {
	if p.Warning {
		return "warning"
	}
	return "error"
}

// fileURI names a file from a folder, or by its whole path where it is not below.
func fileURI(dir, file string) string {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return filepath.ToSlash(file)
	}
	if base, err := filepath.Abs(dir); err == nil {
		if name, err := filepath.Rel(base, absolute); err == nil && filepath.IsLocal(name) {
			return (&url.URL{Path: filepath.ToSlash(name)}).String()
		}
	}
	path := filepath.ToSlash(absolute)
	if !strings.HasPrefix(path, "/") { // C:/flows
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// writeSARIF writes findings into a file.
func (c *call) writeSARIF(file string, f *findings) error {
	data, err := f.sarif(c.Dir)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, file)
	}
	if err := os.WriteFile(file, data, 0o644); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	return nil
}
