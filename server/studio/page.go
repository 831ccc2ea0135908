package studio

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"sluice/engine"
	"sluice/server/endpoint"
	"sluice/server/rest"
)

// policy is what the studio's page may do: load what comes from this server, and
// style itself, as drawings and editors do while they run.
const policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; frame-src 'self'"

// A page is one file of the browser's half.
type page struct {
	*Studio
	path, media  string
	text, packed []byte // packed by gzip; nil where that saves nothing
	tag          string
}

func (page) Method() string { return "GET" }
func (p page) Path() string { return p.path }
func (page) MaxBody() int   { return 0 }

// Call answers everybody who can be let in at all: there is nothing in the page but the page.
func (p page) Call(_ context.Context, r *endpoint.Request) (engine.Answer, error) {
	if p.Group == "" && !fromHere(r) {
		return engine.Answer{}, errNotHere()
	}
	a := engine.Answer{Status: 200, Type: p.media, Body: p.text, Headers: []engine.Header{
		{Name: "ETag", Value: p.tag}, {Name: "Cache-Control", Value: "no-cache"}, {Name: "Vary", Value: "Accept-Encoding"},
		{Name: "Content-Security-Policy", Value: policy}, {Name: "Referrer-Policy", Value: "no-referrer"}, {Name: "Cross-Origin-Opener-Policy", Value: "same-origin"},
	}}
	if p.packed != nil && takesGzip(r) {
		a.Body = p.packed
		a.Headers = append(a.Headers, engine.Header{Name: "Content-Encoding", Value: "gzip"})
	}
	for _, known := range r.Header("If-None-Match") {
		if strings.Contains(known, p.tag) {
			a.Status, a.Body = 304, nil
		}
	}
	return a, nil
}

func takesGzip(r *endpoint.Request) bool {
	for _, line := range r.Header("Accept-Encoding") {
		for word := range strings.SplitSeq(line, ",") {
			name, weight, _ := strings.Cut(strings.TrimSpace(word), ";")
			if strings.EqualFold(name, "gzip") && strings.ReplaceAll(weight, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}

// pages are the files of dist, and the mailbox as a page of its own.
func (s *Studio) pages() []rest.Endpoint {
	var all []rest.Endpoint
	if s.Mailbox != nil {
		all = append(all, mailPage{s}, mailList{s})
	}
	entries, err := fs.ReadDir(dist, ".")
	if err != nil {
		return all // it was built without
	}
	for _, e := range entries {
		text, err := fs.ReadFile(dist, e.Name())
		if err != nil || e.Name()[0] == '.' || path.Ext(e.Name()) == ".gz" {
			continue // a folder, or what stands in for another file
		}
		sum := sha256.Sum256(text)
		p := page{Studio: s, path: "/_studio/" + e.Name(), media: mediaOf(e.Name()), text: text, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		if packed, err := fs.ReadFile(dist, e.Name()+".gz"); err == nil {
			p.packed = packed
		}
		if e.Name() == "index.html" {
			p.path = "/_studio"
		}
		all = append(all, p)
	}
	return all
}

// mediaOf is the media type of a file, by a list of our own: that of the system
// differs from machine to machine.
func mediaOf(name string) string {
	known := map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
		".json": "application/json", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2", ".png": "image/png", ".ico": "image/x-icon",
		".txt": "text/plain; charset=utf-8", ".map": "application/json",
	}
	if media := known[path.Ext(name)]; media != "" {
		return media
	}
	return "application/octet-stream"
}
