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
	}
	for _, n := range nodes.Core(memory.New(), h) {
		if strings.HasPrefix(n.Name, "data.") {
			continue // each step touches the collections that it names: TestStepsTouchTheirCollections
		}
		if got := fmt.Sprintf("reads %v writes %v", n.Touches.Reads, n.Touches.Writes); got != want[n.Name] || len(n.Touches.Calls) > 0 {
			t.Errorf("%s %s, calls %v, want %s and no calls", n.Name, got, n.Touches.Calls, want[n.Name])
		}
	}
}
