//go:build nostudio

package studio

import "embed"

// dist is empty in a build without the browser's half.
var dist embed.FS
