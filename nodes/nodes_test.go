package nodes_test

import (
	"slices"
	"testing"

	"sluice/nodes"
	"sluice/nodes/memory"
	"sluice/nodes/password"
)

func TestCore(t *testing.T) {
	h, err := password.NewHasher(password.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, n := range nodes.Core(memory.New(), h, nodes.Post{}, nodes.Trust{}) {
		names = append(names, n.Name)
	}
	want := []string{
		"user.fetch", "user.create", "user.update", "password.check", "password.judge", "password.set",
		"session.create", "session.get", "session.list", "session.handles", "session.update", "session.delete", "session.deleteAll", "session.deleteOthers",
		"session.rotate", "session.confirm", "session.impersonate", "user.vouch",
		"apikey.create", "apikey.get", "apikey.list", "apikey.update", "apikey.end",
		"code.send", "code.create", "code.redeem", "totp.enroll", "totp.confirm", "totp.check", "totp.delete", "recovery.create", "recovery.redeem", "mail.send", "link.make",
		"oidc.start", "oidc.finish", "oidc.prove", "oidc.link", "oidc.linkByEmail", "oidc.signUp", "oidc.list", "oidc.unlink",
		"passkey.offer", "passkey.register", "passkey.challenge", "passkey.verify", "passkey.list", "passkey.remove",
		"data.get", "data.find", "data.count", "data.create", "data.update", "data.delete", "data.write",
	}
	if !slices.Equal(names, want) {
		t.Errorf("Core() = %q, want %q", names, want)
	}
}
