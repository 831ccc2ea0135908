package session

import (
	"strconv"
	"strings"

	"github.com/mileusna/useragent"

	"sluice/nodes/audit"
)

// ParseUserAgent reads a User-Agent header. What it does not recognize is
// "Other", a version that is not there is "0". Of a long header it reads the
// first 512 bytes.
func ParseUserAgent(header string) UserAgent {
	ua := useragent.Parse(audit.Visible(header, 512))
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
