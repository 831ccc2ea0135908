package session

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/mileusna/useragent"
)

// ParseUserAgent reads a User-Agent header. What it does not recognize is
// "Other", a version that is not there is "0". Of a long header it reads the
// first 512 bytes.
func ParseUserAgent(header string) UserAgent {
	ua := useragent.Parse(visible(header, 512))
	v, os := ua.VersionNo, ua.OSVersionNo
	return UserAgent{
		Family: family(ua.Name), Major: strconv.Itoa(v.Major), Minor: strconv.Itoa(v.Minor), Patch: strconv.Itoa(v.Patch),
		Device: Version{Family: family(ua.Device), Major: "0", Minor: "0", Patch: "0"},
		OS:     Version{Family: family(ua.OS), Major: strconv.Itoa(os.Major), Minor: strconv.Itoa(os.Minor), Patch: strconv.Itoa(os.Patch)},
	}
}

func family(name string) string {
	if name = strings.TrimSpace(name); name == "" {
		return "Other"
	}
	return name
}

// visible returns the first n bytes of a text without what is no text, without
// control characters and without those that change how others are shown.
func visible(s string, n int) string {
	s = strings.ToValidUTF8(s[:min(n, len(s))], "")
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf) {
			return -1
		}
		return r
	}, s)
}
