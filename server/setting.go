package server

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"iter"
	"net"
	"net/netip"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/nodes/mail"
)

// A Setting describes one field of a [Config].
type Setting struct {
	Name    string // as sluice.yaml and flags have it
	Default string // as text; "" for none
	Doc     string
	List    bool // it takes any number of texts
	Switch  bool // it is on or off
	Parts   bool // each of its texts is made of parts, NAME=VALUE with semicolons between them
}

// Settings returns the settings in the order of the fields.
func Settings() []Setting {
	var list []Setting
	for f := range settingFields() {
		list = append(list, Setting{
			Name: f.Tag.Get("json"), Default: f.Tag.Get("default"), Doc: f.Tag.Get("doc"),
			List: f.Type.Kind() == reflect.Slice, Parts: f.Type == reflect.TypeFor[[]Provider](), Switch: f.Type.Kind() == reflect.Bool,
		})
	}
	return list
}

// settingFields yields the fields of a Config that are settings.
func settingFields() iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for f := range reflect.TypeFor[Config]().Fields() {
			if f.Tag.Get("json") != "-" && !yield(f) {
				return
			}
		}
	}
}

// Set reads a setting from texts: one, or any number for a list, whose items
// before are forgotten. The error says what was wanted and does not repeat the
// name.
func (c *Config) Set(name string, texts ...string) error {
	for f := range settingFields() {
		if f.Tag.Get("json") != name {
			continue
		}
		field := reflect.ValueOf(c).Elem().FieldByIndex(f.Index)
		if f.Type.Kind() != reflect.Slice {
			if len(texts) != 1 {
				return fmt.Errorf("want one value, not %d", len(texts))
			}
			return readSetting(field, f.Tag, texts[0])
		}
		items := reflect.MakeSlice(f.Type, len(texts), len(texts))
		for i, text := range texts {
			if err := readSetting(items.Index(i), f.Tag, text); err != nil {
				return err
			}
		}
		field.Set(items)
		return nil
	}
	return fmt.Errorf("there is no setting %s", name)
}

// complete gives every field that is zero its default.
func (c *Config) complete() error {
	for f := range settingFields() {
		standard := f.Tag.Get("default")
		if standard == "" || !reflect.ValueOf(c).Elem().FieldByIndex(f.Index).IsZero() {
			continue
		}
		if err := c.Set(f.Tag.Get("json"), standard); err != nil {
			return fmt.Errorf("reading default of %s: %w", f.Tag.Get("json"), err)
		}
	}
	return nil
}

// readSetting reads a text into a field, or an item of one, within the bounds
// of the field's tags.
func readSetting(v reflect.Value, tag reflect.StructTag, text string) error {
	if want := parseSetting(v.Addr().Interface(), tag, text); want != "" {
		if tag.Get("secret") == "true" {
			return fmt.Errorf("want %s", want)
		}
		return fmt.Errorf("want %s, not %q", want, text)
	}
	for _, bound := range []string{"min", "max"} {
		limit, ok := tag.Lookup(bound)
		if !ok {
			continue
		}
		l := reflect.New(v.Type())
		if want := parseSetting(l.Interface(), tag, limit); want != "" {
			panic("server: the " + bound + " of " + tag.Get("json") + " is not " + want)
		}
		switch {
		case bound == "min" && v.Int() < l.Elem().Int():
			return fmt.Errorf("want at least %s, not %s", limit, text)
		case bound == "max" && v.Int() > l.Elem().Int():
			return fmt.Errorf("want at most %s, not %s", limit, text)
		}
	}
	return nil
}

// parseSetting reads a text into what field points to, and otherwise says what
// was wanted.
func parseSetting(field any, tag reflect.StructTag, text string) (want string) {
	var err error
	switch p := field.(type) {
	case *string:
		*p, want = text, wantText(tag, text)
		return want
	case *bool:
		*p, err = strconv.ParseBool(text)
		want = "true or false"
	case *int:
		*p, err = strconv.Atoi(text)
		want = "a whole number"
	case *time.Duration:
		*p, err = time.ParseDuration(text)
		want = "a duration with a unit, as in 500ms, 30s or 2m"
	case *Size:
		*p, err = parseSize(text)
		want = "a size with a unit, as in 64KiB or 1MiB"
	case *netip.Prefix:
		*p, err = parseNetwork(text)
		want = "a network, as in 10.0.0.0/8"
	case *Provider:
		return parseProvider(p, text)
	case *KeyHash:
		if !parseHex(p[:], text) {
			return "the SHA-256 of a key, 64 hex digits"
		}
	case *Secret:
		if !parseHex(p[:], text) {
			return "64 hex digits, as openssl rand -hex 32 makes"
		}
	default:
		panic(fmt.Sprintf("server: a setting cannot be %T", field))
	}
	if err != nil {
		return want
	}
	return ""
}

// parseHex reads hex digits that fill b, and tells whether they were such.
func parseHex(b []byte, text string) bool {
	read, err := hex.DecodeString(text)
	return err == nil && copy(b, read) == len(b) && len(read) == len(b)
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// wantText checks a text against the enum and format of its tags.
func wantText(tag reflect.StructTag, text string) (want string) {
	if enum := tag.Get("enum"); enum != "" && !slices.Contains(strings.Split(enum, "|"), text) {
		return strings.ReplaceAll(enum, "|", " or ")
	}
	switch tag.Get("format") {
	case "address":
		_, port, err := net.SplitHostPort(text)
		if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strconv.FormatUint(n, 10) != port {
			return "host:port, as in 127.0.0.1:8080"
		}
	case "folder":
		if !fs.ValidPath(text) {
			return "a folder below flows, as in auth"
		}
	case "path":
		if u, err := url.Parse(text); err != nil || u.Path != text || path.Clean(text) != text || !path.IsAbs(text) || text == "/" {
			return "a path without a slash at its end, as in /e:abc"
		}
	case "variable":
		if !variableName.MatchString(text) {
			return "the name of an environment variable"
		}
	case "mail":
		if _, err := mail.NewSMTP(text, "check@example.com"); err != nil {
			return "a mail server, as in smtps://user:password@mail.example.com (" + err.Error() + ")"
		}
	case "webhook":
		if _, err := mail.NewWebhook(text, "secret"); err != nil {
			return "a webhook, as in https://texts.example.com/send (" + err.Error() + ")"
		}
	case "site":
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return "the URL of a site, as in https://app.example.com"
		}
	case "origin":
		u, err := url.Parse(text)
		if text != "*" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != text) {
			return "scheme and host of a page, as in https://app.example.com"
		}
	}
	return ""
}

// parseNetwork reads a network, or an address as the network of that one host.
func parseNetwork(text string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.Prefix(ip.BitLen())
	}
	return netip.ParsePrefix(text)
}

func parseSize(text string) (Size, error) {
	number := strings.TrimRight(text, "BKMi")
	unit, ok := map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}[text[len(number):]]
	if !ok {
		return 0, fmt.Errorf("size %q has no unit", text)
	}
	n, err := strconv.ParseInt(number, 10, 32)
	return Size(n * unit), err
}
