package engine

import (
	"encoding/base64"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// A format says how a text of a type is checked, and how text with references
// in it is escaped on its way into a parameter of the type.
type format struct {
	what   string // "must be " + what
	valid  func(string) bool
	escape func([]byte, string) []byte
}

// formats are the values of format: that flows and tags may use.
var formats = map[string]*format{
	"email":     {what: "an e-mail address", valid: validEmail},
	"password":  {what: "a password", valid: utf8.ValidString},
	"uuid":      {what: "a UUID", valid: validUUID},
	"uri":       {what: "an absolute URI", valid: validURI, escape: escapeURI},
	"date":      {what: "a date such as 2026-01-31", valid: validDate},
	"date-time": {what: "a time such as 2026-01-31T12:00:00Z (RFC 3339)"},
	"duration":  {what: "a duration such as 90s, 15m or 24h"},
	"byte":      {what: "base64 text"},
	"ipv4":      {what: "an IPv4 address", valid: func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is4() }},
	"ipv6":      {what: "an IPv6 address", valid: func(s string) bool { a, err := netip.ParseAddr(s); return err == nil && a.Is6() }},
	"time":      {what: "a time of day such as 12:00:00Z (RFC 3339)", valid: validTime},

	"idn-email": {what: "an e-mail address", valid: validEmail}, "hostname": {what: "a host name", valid: validHost},
	"idn-hostname": {what: "a host name", valid: validIDN}, "uri-reference": {what: "a URI or a path", valid: validURIReference, escape: escapeURI},
	"iri": {what: "an absolute IRI", valid: validIRI, escape: escapeURI}, "iri-reference": {what: "an IRI or a path", valid: validIRIReference, escape: escapeURI},
	"uri-template": {what: "a URI template", valid: validTemplate}, "json-pointer": {what: "a JSON pointer", valid: validPointer},
	"relative-json-pointer": {what: "a relative JSON pointer", valid: validRelativePointer}, "regex": {what: "a regular expression (RE2)", valid: validRegex},

	"html":   {what: "HTML", escape: escapeHTML},
	"header": {what: "one line of text", valid: validHeader, escape: escapeHeader},
}

// validEmail asks for what every address has; whether it is one that mail can
// reach, only a mail can tell.
func validEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	return ok && local != "" && domain != "" && len(s) <= 254 && !strings.Contains(domain, "@") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

func validUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}

func validURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.IsAbs()
}

func validDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func validHeader(s string) bool { return !strings.ContainsFunc(s, control) }

// control tells the characters that could end a header or a log line.
func control(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
}

// escapeURI makes a text one path segment or query value, whatever is in it.
func escapeURI(b []byte, s string) []byte {
	return append(b, strings.ReplaceAll(url.QueryEscape(s), "+", "%20")...)
}

func escapeHTML(b []byte, s string) []byte {
	for _, r := range s {
		switch r {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&#34;"...)
		case '\'':
			b = append(b, "&#39;"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// escapeHeader puts a space where a character could end the header.
func escapeHeader(b []byte, s string) []byte {
	for _, r := range s {
		if control(r) {
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// bounded tells whether values of the type can be wrong though their Go type is right.
func (t *Type) bounded() bool {
	f := formats[t.Format]
	return t.limited() || t.Base == String && f != nil && f.valid != nil
}

// limited is bounded without a look at the format.
func (t *Type) limited() bool {
	return t.Min != nil || t.Max != nil || t.Above != nil || t.Below != nil || t.Step != nil || t.Pattern != nil || t.Unique || t.ruled() || len(t.Enum) > 0
}

// fault says what is wrong with a value's bounds, as in "must be at least 3",
// or "" where nothing is. It looks at the value itself, not into it.
func (t *Type) fault(p unsafe.Pointer) string {
	switch {
	case t.goType == durationType:
		d := *(*time.Duration)(p)
		return t.amount(float64(d), func(v float64) string { return durationText(time.Duration(v)) })
	case t.goType == timeType || t.goType == bytesType || t.Nominal:
		return ""
	}
	why := ""
	switch t.Base {
	case String:
		why = t.textFault(*(*string)(p))
	case Integer:
		n := *(*int64)(p)
		why = t.numberFault(float64(n), strconv.FormatInt(n, 10))
	case Number:
		f := *(*float64)(p)
		why = t.numberFault(f, plainNumber(f))
	case Boolean:
		why = t.truthFault(*(*bool)(p))
	case Object:
		if t.Open {
			return t.count(float64(len(*(*map[string]any)(p))), "property", "properties")
		}
	case Array:
		if s := t.count(float64(sliceLen(p)), "item", "items"); s != "" {
			return s
		}
		if t.Unique && !uniqueItems(t, p) {
			return "must not have an item twice"
		}
	}
	if why == "" && t.scalar() && t.ruled() {
		return t.ruleFault(p)
	}
	return why
}

// truthFault checks a boolean of which only one value is allowed.
func (t *Type) truthFault(b bool) string {
	if len(t.Enum) > 0 && !slices.Contains(t.Enum, strconv.FormatBool(b)) {
		return "must be " + strings.Join(t.Enum, " or ")
	}
	return ""
}

func (t *Type) textFault(s string) string {
	if f := formats[t.Format]; f != nil && f.valid != nil && !f.valid(s) {
		return "must be " + f.what
	}
	if len(t.Enum) > 0 && !slices.Contains(t.Enum, s) {
		return "must be one of " + strings.Join(t.Enum, ", ")
	}
	if t.Min != nil || t.Max != nil {
		if s := t.count(float64(utf8.RuneCountInString(s)), "character", "characters"); s != "" {
			return s
		}
	}
	if t.Pattern != nil && !t.Pattern.MatchString(s) {
		return "must match the pattern " + t.Pattern.String()
	}
	return ""
}

func (t *Type) count(n float64, one, many string) string {
	plural := func(v float64) string {
		if v == 1 {
			return "1 " + one
		}
		return plainNumber(v) + " " + many
	}
	switch {
	case t.Min != nil && n < *t.Min:
		return "must have at least " + plural(*t.Min)
	case t.Max != nil && n > *t.Max:
		return "must have at most " + plural(*t.Max)
	}
	return ""
}

func (t *Type) amount(n float64, text func(float64) string) string {
	switch {
	case t.Min != nil && n < *t.Min:
		return "must be at least " + text(*t.Min)
	case t.Max != nil && n > *t.Max:
		return "must be at most " + text(*t.Max)
	}
	return ""
}

// numberFault checks a number, which is given as text as well.
func (t *Type) numberFault(n float64, text string) string {
	switch {
	case len(t.Enum) > 0 && !slices.Contains(t.Enum, text):
		return "must be one of " + strings.Join(t.Enum, ", ")
	case t.Above != nil && n <= *t.Above:
		return "must be greater than " + plainNumber(*t.Above)
	case t.Below != nil && n >= *t.Below:
		return "must be less than " + plainNumber(*t.Below)
	case t.Step != nil && !multiple(n, *t.Step):
		return "must be a multiple of " + plainNumber(*t.Step)
	}
	return t.amount(n, plainNumber)
}

// multiple tells whether a number is a multiple of a step, up to what binary
// fractions cannot say: 0.3 is one of 0.1.
func multiple(n, step float64) bool {
	if n == math.Trunc(n) && step == math.Trunc(step) {
		return math.Mod(n, step) == 0
	}
	q := n / step
	return math.Abs(q-math.Round(q)) < 1e-14*max(1, math.Abs(q))
}

func plainNumber(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// parseText reads a text as a value of a type that is written as text, into p.
// It returns what is wrong, or "".
func (t *Type) parseText(s string, p unsafe.Pointer) string {
	if why := t.scan(s, p); why != "" {
		return why
	}
	return t.fault(p)
}

// scan is parseText without the bounds.
func (t *Type) scan(s string, p unsafe.Pointer) string {
	switch {
	case t.Nominal:
		return "must not be given"
	case t.goType == timeType:
		at, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return "must be " + formats["date-time"].what
		}
		*(*time.Time)(p) = at.UTC()
	case t.goType == durationType:
		d, err := ParseDuration(s)
		if err != nil {
			return "must be " + formats["duration"].what
		}
		*(*time.Duration)(p) = d
	case t.goType == bytesType:
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "must be " + formats["byte"].what
		}
		*(*[]byte)(p) = b
	case t.Base == String:
		*(*string)(p) = s
	case t.Base == Integer:
		n, ok := parseInteger(s)
		if !ok {
			return "must be an integer"
		}
		*(*int64)(p) = n
	case t.Base == Number:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f-f != 0 {
			return "must be a number"
		}
		*(*float64)(p) = f
	case t.Base == Boolean:
		switch s {
		case "true":
			*(*bool)(p) = true
		case "false":
			*(*bool)(p) = false
		default:
			return "must be true or false"
		}
	default:
		return fmt.Sprintf("cannot be given as text, it is %s", article(t))
	}
	return ""
}

// parseInteger reads an integer in any form that JSON Schema counts as one: 3, 3.0 and 3e2.
func parseInteger(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -1<<53 {
		return 0, false
	}
	return int64(f), true
}
