package server_test

import (
	"strings"
	"testing"

	"sluice/engine"
)

func TestReadmeNamesEveryWordOfTypes(t *testing.T) {
	text := readme(t)
	for _, word := range append(engine.TypeKeys(), engine.Formats()...) {
		if word != "type" && word != "unevaluatedProperties" && !strings.Contains(text, "`"+word+"`") && !strings.Contains(text, "`"+word+":") {
			t.Errorf("README.md does not name %s", word)
		}
	}
}
