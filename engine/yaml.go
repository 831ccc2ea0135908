package engine

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

var yamlError = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)

// ReadYAML reads the one document of a file: root is nil where there is none.
// Where there is a second one behind it, second is its node, of which Line and
// Column may be 0. A text that is no YAML is a mistake, for which the caller may have a hint.
func ReadYAML(file string, data []byte) (root, second *yaml.Node, mistake *Problem) {
	defer func() {
		if recover() != nil { // the YAML library panics on some garbage
			root, second, mistake = nil, nil, &Problem{Pos: Pos{file, 1, 1}, Message: "the file is not YAML"}
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, next yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil, nil
	} else if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		m := yamlError.FindStringSubmatch(first)
		line, err := strconv.Atoi(m[1])
		if err != nil {
			line = 1
		}
		return nil, nil, &Problem{Pos: Pos{file, line, 1}, Message: "this is not YAML: " + m[2]}
	}
	if err := d.Decode(&next); !errors.Is(err, io.EOF) {
		second = &next
	}
	if len(doc.Content) > 0 {
		root = doc.Content[0]
	}
	return root, second, nil
}
