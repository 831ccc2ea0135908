package lsp

// KeyDocs says what the keys of a sort of mapping mean, for tests.
var KeyDocs = map[string]map[string]string{"flow": flowDocs, "step": stepDocs, "type": schemaDocs}

// KindDoc says what a kind of outcome means, for tests.
func KindDoc(kind string) string { return docOf(values[kindSort], kind) }
