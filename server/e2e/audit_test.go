package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// audited are the lines of a server's log that tell of audit events.
var audited = regexp.MustCompile(`(?m)^.*(msg=audit |"msg":"audit",).*\n`)

// wantAudited fails the test unless the audit log of a folder, whose server has
// stopped, is unbroken. It returns the events, a line for each.
func wantAudited(t *testing.T, dir string) []string {
	t.Helper()
	if code, stdout, stderr := sluice(t, dir, "audit", "verify"); code != 0 || !strings.Contains(stdout, "unbroken") || stderr != "" {
		t.Errorf("sluice audit verify = %d, %s%s, want 0 and unbroken", code, stdout, stderr)
	}
	code, stdout, stderr := sluice(t, dir, "audit")
	if code != 0 || stderr != "" {
		t.Errorf("sluice audit = %d, %s, want 0", code, stderr)
	}
	return strings.Split(strings.TrimSpace(stdout), "\n")
}

// TestEveryAcknowledgedChangeIsInTheAuditLogAfterAKill changes groups from many
// clients at once, kills the server, and counts.
func TestEveryAcknowledgedChangeIsInTheAuditLogAfterAKill(t *testing.T) {
	t.Parallel()
	const clients = 8
	dir := shipped(t)
	s := serve(t, dir)
	m := newClient(s.url).enter(t, "/auth/sign-up", "ada@example.com", password)
	var acknowledged atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			c := newClient(s.url)
			for {
				a, err := c.try(t.Context(), "POST", "/examples/beta", m.Session.Token, "")
				if err != nil || a.status != 200 {
					return // the server is gone
				}
				acknowledged.Add(1)
			}
		})
	}
	for end := time.Now().Add(10 * time.Second); acknowledged.Load() < 200 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	s.kill()
	wg.Wait()
	if code, stdout, stderr := sluice(t, dir, "audit", "verify", "--data", filepath.Join(dir, "data")); code != 0 {
		t.Fatalf("sluice audit verify after a kill = %d, %s%s, want 0", code, stdout, stderr)
	}
	changes := 0
	for _, line := range wantAudited(t, dir) {
		if strings.Contains(line, " groupsChanged ") {
			changes++
		}
	}
	if n := int(acknowledged.Load()); n < 200 || changes < n || changes > n+clients {
		t.Errorf("%d changes were acknowledged and %d are in the log, want at least 200, and as many or those under way more", n, changes)
	}
}
