// Package flows holds the flows that Sluice ships, as data.
package flows

import "embed"

// FS holds the shipped flow files, laid out as in this folder.
//
//go:embed errors.yaml types.yaml admin altogic/*.yaml auth examples mail
var FS embed.FS
