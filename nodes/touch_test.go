package nodes_test

import (
	"fmt"
	"strings"
	"testing"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/password"
)

// What a node touches is what flows.lock holds flows to.
func TestEveryCoreNodeSaysWhatItTouches(t *testing.T) {
	h, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"user.fetch":           "reads [users] writes []",
		"user.create":          "reads [] writes [users passwords]",
		"user.update":          "reads [users] writes [users sessions]",
		"password.check":       "reads [passwords] writes []",
		"password.set":         "reads [users] writes [passwords]",
		"session.create":       "reads [] writes [sessions]",
		"session.get":          "reads [sessions] writes []",
		"session.list":         "reads [sessions] writes []",
		"session.handles":      "reads [sessions] writes []",
		"link.make":            "reads [] writes []",
		"session.update":       "reads [] writes [sessions]",
		"session.delete":       "reads [] writes [sessions]",
		"session.deleteAll":    "reads [] writes [sessions]",
		"session.deleteOthers": "reads [] writes [sessions]",
		"session.rotate":       "reads [] writes [sessions]",
		"session.confirm":      "reads [] writes [sessions]",
		"session.impersonate":  "reads [users] writes [sessions]",
		"user.vouch":           "reads [users sessions] writes []",
		"apikey.create":        "reads [] writes [keys]",
		"apikey.get":           "reads [keys] writes []",
		"apikey.list":          "reads [keys] writes []",
		"apikey.update":        "reads [] writes [keys]",
		"apikey.end":           "reads [] writes [keys]",
		"password.judge":       "reads [] writes []",
		"code.send":            "reads [passwords] writes [codes]",
		"code.create":          "reads [users passwords] writes [codes]",
		"code.redeem":          "reads [users passwords] writes [codes]",
		"totp.enroll":          "reads [users] writes [factors]",
		"totp.confirm":         "reads [] writes [factors]",
		"totp.check":           "reads [] writes [factors]",
		"totp.delete":          "reads [users] writes [factors]",
		"recovery.create":      "reads [] writes [factors]",
		"recovery.redeem":      "reads [] writes [factors]",
		"mail.send":            "reads [] writes []",
		"oidc.start":           "reads [] writes [attempts]",
		"oidc.finish":          "reads [] writes [attempts]",
		"oidc.prove":           "reads [identities users factors] writes []",
		"oidc.link":            "reads [users] writes [identities]",
		"oidc.linkByEmail":     "reads [users factors] writes [identities]",
		"oidc.signUp":          "reads [] writes [users identities]",
		"oidc.list":            "reads [identities] writes []",
		"oidc.unlink":          "reads [users passwords passkeys] writes [identities]",
		"passkey.offer":        "reads [users passkeys] writes [attempts]",
		"passkey.register":     "reads [users] writes [attempts passkeys]",
		"passkey.challenge":    "reads [users passkeys] writes [attempts]",
		"passkey.verify":       "reads [users] writes [attempts passkeys]",
		"passkey.list":         "reads [passkeys] writes []",
		"passkey.remove":       "reads [users passwords identities] writes [passkeys]",
	}
	calls := map[string]string{"code.send": "mail", "mail.send": "mail", "oidc.start": "identity provider", "oidc.finish": "identity provider"}
	for _, n := range nodes.Core(memory.New(), h, nodes.Post{}, nodes.Trust{}) {
		if strings.HasPrefix(n.Name, "data.") {
			continue // each step touches the collections that it names: TestStepsTouchTheirCollections
		}
		if got := fmt.Sprintf("reads %v writes %v", n.Touches.Reads, n.Touches.Writes); got != want[n.Name] || strings.Join(n.Touches.Calls, ", ") != calls[n.Name] {
			t.Errorf("%s %s, calls %v, want %s, calls [%s]", n.Name, got, n.Touches.Calls, want[n.Name], calls[n.Name])
		}
	}
}
