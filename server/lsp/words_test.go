package lsp_test

import (
	"slices"
	"testing"

	"sluice/engine"
	"sluice/server/lsp"
)

// TestWords keeps the promise that every key of the language is explained, and none
// that it does not have.
func TestWords(t *testing.T) {
	keys := map[string][]string{
		"flow": append(engine.HeaderKeys(), engine.NodeFlowKeys()...),
		"type": engine.TypeKeys(),
	}
	for _, verb := range engine.Verbs() {
		keys["step"] = append(keys["step"], engine.StepKeys(verb)...)
	}
	for of, known := range keys {
		for _, key := range known {
			if lsp.KeyDocs[of][key] == "" {
				t.Errorf("key %s of a %s = no documentation, want some", key, of)
			}
		}
		for key := range lsp.KeyDocs[of] {
			if !slices.Contains(known, key) {
				t.Errorf("key %s of a %s is documented, want only those of the language", key, of)
			}
		}
	}
	for _, kind := range engine.OutcomeKinds() {
		if lsp.KindDoc(kind) == "" {
			t.Errorf("kind %s = no documentation, want some", kind)
		}
	}
}
