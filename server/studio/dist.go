//go:build !nostudio

package studio

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// dist is the browser's half as it was built; see web for its source.
var dist, _ = fs.Sub(built, "dist") // the name is good
