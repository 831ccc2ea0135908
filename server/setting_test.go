package server_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"sluice/server"
)

func TestSetReadsWhatASettingTakes(t *testing.T) {
	var hash server.KeyHash
	hash[0], hash[31] = 0xab, 0x01
	for _, c := range []struct {
		name  string
		texts []string
		want  server.Config
	}{
		{"addr", []string{":80"}, server.Config{Addr: ":80"}},
		{"addr", []string{"[::1]:0"}, server.Config{Addr: "[::1]:0"}},
		{"vars", []string{"A", "B_1"}, server.Config{Vars: []string{"A", "B_1"}}},
		{"vars", nil, server.Config{Vars: []string{}}},
		{"api-key-hashes", []string{"AB" + strings.Repeat("0", 60) + "01"}, server.Config{APIKeys: []server.KeyHash{hash}}},
		{"trusted-proxies", []string{"10.0.0.0/8", "fd00::/8", "192.0.2.1"}, server.Config{TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("192.0.2.1/32"),
		}}},
		{"origins", []string{"https://app.example.com", "http://localhost:3000"}, server.Config{Origins: []string{"https://app.example.com", "http://localhost:3000"}}},
		{"max-body", []string{"1MiB"}, server.Config{MaxBody: 1 << 20}},
		{"max-body", []string{"2048B"}, server.Config{MaxBody: 2048}},
		{"timeout", []string{"1m30s"}, server.Config{Timeout: 90 * time.Second}},
		{"notice", []string{"0s"}, server.Config{}},
		{"mail-url", []string{"smtps://ada:hidden@mail.example.com"}, server.Config{MailURL: "smtps://ada:hidden@mail.example.com"}},
		{"app-url", []string{"https://app.example.com/shop"}, server.Config{AppURL: "https://app.example.com/shop"}},
		{"secret-key", []string{"AB" + strings.Repeat("0", 60) + "01"}, server.Config{SecretKey: server.Secret(hash)}},
		{"studio", []string{"off"}, server.Config{Studio: "off"}},
		{"no-watch", []string{"true"}, server.Config{NoWatch: true}},
		{"log-format", []string{"json"}, server.Config{LogFormat: "json"}},
		{"audit-keys", []string{"AB" + strings.Repeat("0", 60) + "01"}, server.Config{AuditKeys: []server.Secret{server.Secret(hash)}}},
		{"audit-keep", []string{"24h"}, server.Config{AuditKeep: 24 * time.Hour}},
	} {
		var got server.Config
		if err := got.Set(c.name, c.texts...); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("Set(%s, %q) = %+v, %v, want %+v", c.name, c.texts, got, err, c.want)
		}
	}
}

func TestSetRefusesWhatIsWeakOrWithoutAUnit(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"addr", "8080", `want host:port, as in 127.0.0.1:8080, not "8080"`},
		{"addr", "localhost:http", "want host:port"},
		{"addr", ":65536", "want host:port"},
		{"addr", ":080", "want host:port"},
		{"audit-keep", "23h", "want at least 24h"},
		{"audit-failure", "ignore", "want refuse or log"},
		{"vars", "A-B", "want the name of an environment variable"},
		{"folders", "../auth", "want a folder below flows"},
		{"api-key-hashes", "abc", "64 hex digits"},
		{"api-key-hashes", strings.Repeat("g", 64), "hex digits"},
		{"api-key-hashes", strings.Repeat("a", 65), "64 hex digits"},
		{"trusted-proxies", "proxy", "want a network"},
		{"origins", "app.example.com", "want scheme and host"},
		{"origins", "https://app.example.com/", "want scheme and host"},
		{"origins", "null", "want scheme and host"},
		{"max-body", "65536", "want a size with a unit"},
		{"max-body", "-1KiB", "want at least 1KiB"},
		{"max-body", "0B", "want at least 1KiB"},
		{"max-body", "1GiB", "want a size with a unit"},
		{"max-body", "65MiB", "want at most 64MiB"},
		{"timeout", "30", "want a duration with a unit"},
		{"timeout", "0", "want at least 1ms"},
		{"timeout", "-1s", "want at least 1ms, not -1s"},
		{"timeout", "10m", "want at most 5m"},
		{"min-password", "5", "want at least 6, not 5"},
		{"compat", "contember", "want altogic or tenant"},
		{"base-path", "e:abc", "want a path"},
		{"base-path", "/e:abc/", "want a path"},
		{"base-path", "/a/../b", "want a path"},
		{"base-path", "/", "want a path"},
		{"base-path", "/a?b", "want a path"},
		{"min-password", "65", "want at most 64"},
		{"min-password", "many", "want a whole number"},
		{"sms-url", "http://texts.example.com/send", "everybody on the way could read"},
		{"mail-url", "mail.example.com", "want a mail server, as in smtps://user:password@mail.example.com"},
		{"mail-url", "smtp://ada:hidden@mail.example.com?tls=none", "everybody on the way could read"},
		{"app-url", "app.example.com", "want the URL of a site"},
		{"app-url", "https://ada:x@app.example.com", "want the URL of a site"},
		{"app-url", "https://app.example.com/?x=1", "want the URL of a site"},
		{"app-url", "javascript:alert(1)", "want the URL of a site"},
		{"secret-key", "hidden", "want 64 hex digits"},
		{"secret-key", strings.Repeat("a", 63) + "g", "want 64 hex digits"},
		{"secret-key", strings.Repeat("a", 66), "want 64 hex digits"},
		{"studio", "yes", "want auto or on or off"},
		{"no-watch", "yes", "want true or false"},
		{"log-format", "xml", `want text or json, not "xml"`},
		{"log-format", "text|json", "want text or json"},
		{"colour", "red", "there is no setting colour"},
	} {
		if err := new(server.Config).Set(c.name, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Set(%s, %q) = %v, want %q", c.name, c.text, err, c.want)
		}
		if err := new(server.Config).Set(c.name, c.text); err != nil && strings.Contains(err.Error(), "hidden") {
			t.Errorf("Set(%s, %q) = %v, want no secret in it", c.name, c.text, err)
		}
	}
}

func TestEverySettingSaysWhatItIs(t *testing.T) {
	for _, s := range server.Settings() {
		if s.Name == "" || s.Doc == "" || !strings.HasSuffix(s.Doc, ".") {
			t.Errorf("Settings() has %+v, want a name and sentences", s)
		}
		if s.Default == "" {
			continue
		}
		if err := new(server.Config).Set(s.Name, s.Default); err != nil {
			t.Errorf("Set(%s, its default %q) = %v, want nil", s.Name, s.Default, err)
		}
	}
}

func TestASecretIsInNoMessage(t *testing.T) {
	for _, name := range []string{"secret-key", "audit-keys"} {
		var c server.Config
		if err := c.Set(name, "too-short"); err == nil || strings.Contains(err.Error(), "too-short") {
			t.Errorf("Set(%s, too-short) = %v, want an error without the secret", name, err)
		}
	}
}
