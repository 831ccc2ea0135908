package studio

// Save writes a text to its file.
type Save struct {
	File     string `json:"file"`
	Text     string `json:"text"`
	Revision string `json:"revision"` // that the text began from; "" for a file that must not be there yet
}

// Removal removes a file.
type Removal struct {
	File     string `json:"file"`
	Revision string `json:"revision"`
}

// Renaming moves a file and its tests.
type Renaming struct {
	File     string `json:"file"`
	To       string `json:"to"`
	Revision string `json:"revision"`
}

// Saved is what a file is afterwards.
type Saved struct {
	File     string    `json:"file"`
	Revision string    `json:"revision"` // "" where it is gone
	Problems []Problem `json:"problems"` // of the whole app: with any but warnings the last good version is served on
	Served   bool      `json:"served"`
}

// Theirs are the details of changed_on_disk: what is there now.
type Theirs struct {
	File     string `json:"file"`
	Text     string `json:"text"`     // "" where the file is gone
	Revision string `json:"revision"` // "" where the file is gone
	Base     string `json:"base"`     // text of the revision that was sent, where the server still knows it; else ""
}
