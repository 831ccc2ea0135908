package rest

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// target splits a request target as it was sent into path and query. Besides
// "/path?query" it takes the absolute form that proxies are sent. ok is false
// for everything else: "*", an authority, a fragment.
func target(uri string) (path, query string, ok bool) {
	if uri != "" && uri[0] != '/' {
		scheme, rest, found := strings.Cut(uri, "://")
		if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
			return "", "", false
		}
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return "", "", false
		}
		uri = rest[slash:]
	}
	if uri == "" || strings.IndexByte(uri, '#') >= 0 {
		return "", "", false
	}
	path, query, _ = strings.Cut(uri, "?")
	return path, query, true
}

// target is the function target, with the path as endpoints have it: without the
// one that may stand in front of all.
func (s *Server) target(uri string) (path, query string, ok bool) {
	path, query, ok = target(uri)
	if below, found := strings.CutPrefix(path, s.opts.Base); found && strings.HasPrefix(below, "/") {
		path = below
	}
	return path, query, ok
}

// decode returns the value of a parameter. It decodes percent signs once, and
// ok is false for what no identifier holds and what another reader of the value
// could take for structure: a broken escape, invalid UTF-8, control characters,
// slashes of either kind, "." and "..".
func decode(raw string) (value string, ok bool) {
	value, err := url.PathUnescape(raw) // raw itself where nothing is escaped
	if err != nil {
		return "", false
	}
	if value == "." || value == ".." || strings.ContainsAny(value, `/\`) || !utf8.ValidString(value) {
		return "", false
	}
	for _, r := range value {
		if unicode.IsControl(r) {
			return "", false
		}
	}
	return value, true
}

// decodeRest returns the value of a parameter that is all the rest of a path: its
// segments, each of them decoded, with the slashes between.
func decodeRest(raw string) (value string, ok bool) {
	segs := strings.Split(raw, "/")
	for i, seg := range segs {
		if segs[i], ok = decode(seg); !ok {
			return "", false
		}
	}
	return strings.Join(segs, "/"), true
}
