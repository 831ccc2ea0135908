package rest

import "strings"

// A head is the header of a request and what serving needs of it.
type head struct {
	raw string // as sent, with the empty line that ends it

	authorization, contentType, expect, origin, session, userAgent string // each the first of its name

	seen seen
}

// seen is the set of headers that a request has.
type seen uint16

const (
	seenAuthorization seen = 1 << iota
	seenContentEncoding
	seenContentLength
	seenContentType
	seenExpect
	seenHost
	seenOrigin
	seenSession
	seenTransferEncoding
	seenUserAgent
)

// single are the headers of which a second one would be read by one party and
// ignored by another.
const single = seenAuthorization | seenContentLength | seenContentType | seenExpect | seenHost | seenOrigin |
	seenSession | seenTransferEncoding

// read finds everything in one pass. It refuses what the parser below lets
// through although not all parsers agree on it: folded lines, lines that end in
// a bare LF, names with spaces, two lengths, doubled headers.
func (h *head) read() error {
	rest := h.raw
	for rest != "" { // it is empty where there is no header at all, as HTTP/1.0 allows
		end := strings.IndexByte(rest, '\n')
		if end <= 0 || rest[end-1] != '\r' {
			return errMalformed
		}
		line := rest[:end-1]
		rest = rest[end+1:]
		if line == "" {
			break
		}

		colon := strings.IndexByte(line, ':')
		if colon <= 0 || strings.IndexByte(line[:colon], ' ') >= 0 || strings.IndexByte(line[:colon], '\t') >= 0 {
			return errMalformed
		}
		which, place := h.place(line[:colon])
		if which == 0 {
			continue
		}
		if h.seen&which&single != 0 {
			return errHeaderTwice
		}
		value := strings.Trim(line[colon+1:], " \t")
		if which == seenTransferEncoding && !strings.EqualFold(value, "chunked") {
			return errMalformed
		}
		if place != nil && h.seen&which == 0 {
			*place = value
		}
		h.seen |= which
	}
	h.raw = h.raw[:len(h.raw)-len(rest)] // nothing that was not looked at
	if h.seen&seenTransferEncoding != 0 && h.seen&seenContentLength != 0 {
		return errMalformed
	}
	return nil
}

// place returns which header a name is and where its value goes, if anywhere.
func (h *head) place(name string) (seen, *string) {
	switch len(name) {
	case len("Host"):
		if strings.EqualFold(name, "Host") {
			return seenHost, nil
		}
	case len("Expect"): // and Origin
		if strings.EqualFold(name, "Expect") {
			return seenExpect, &h.expect
		}
		if strings.EqualFold(name, "Origin") {
			return seenOrigin, &h.origin
		}
	case len("Session"):
		if strings.EqualFold(name, "Session") {
			return seenSession, &h.session
		}
	case len("User-Agent"):
		if strings.EqualFold(name, "User-Agent") {
			return seenUserAgent, &h.userAgent
		}
	case len("Content-Type"):
		if strings.EqualFold(name, "Content-Type") {
			return seenContentType, &h.contentType
		}
	case len("Authorization"):
		if strings.EqualFold(name, "Authorization") {
			return seenAuthorization, &h.authorization
		}
	case len("Content-Length"):
		if strings.EqualFold(name, "Content-Length") {
			return seenContentLength, nil
		}
	case len("Content-Encoding"):
		if strings.EqualFold(name, "Content-Encoding") {
			return seenContentEncoding, nil
		}
	case len("Transfer-Encoding"):
		if strings.EqualFold(name, "Transfer-Encoding") {
			return seenTransferEncoding, nil
		}
	}
	return 0, nil
}

// values returns the values of one header in the order sent, or nil.
func (h *head) values(name string) []string {
	var vs []string
	for line := range strings.SplitSeq(h.raw, "\r\n") {
		if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) && line != "" {
			vs = append(vs, strings.Trim(v, " \t"))
		}
	}
	return vs
}
