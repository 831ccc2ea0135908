package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sluice/server/store/mongo/mongotest"
)

// TestASignOutIsKnownToTheCacheOfAnotherReplicaInTime ends sessions in one
// process that another has just served from memory, while the stream of changes
// works, tells nothing of what happens, and breaks.
func TestASignOutIsKnownToTheCacheOfAnotherReplicaInTime(t *testing.T) {
	const bound = 2 * time.Second
	rounds := times(0, 4, 40)
	set := mongotest.NewSet(t, mongotest.Need(t).Addr())
	uri := strings.Replace(set.URI(), "/?", fmt.Sprintf("/e2e?sessionCache=%v&", bound), 1)
	var replicas [2]*client
	for i := range replicas {
		replicas[i] = newClient(serve(t, open(t), "--store", uri).url)
		replicas[i].patience = patience
	}
	here, there := replicas[0], replicas[1]
	of := here.enter(t, "/auth/sign-up", "ada@example.com", password).Session.Token
	for _, stream := range []struct {
		name  string
		begin func()
	}{
		{"works", func() {}},
		{"tells nothing", func() { set.LoseChanges(true) }},
		{"breaks", func() { set.LoseChanges(false); set.BreakStreams(true) }},
	} {
		stream.begin()
		var longest time.Duration
		for range rounds {
			var m me
			if err := here.want(t, 200, "POST", "/test/again", of, "").into(&m); err != nil {
				t.Fatal(err)
			}
			token := m.Session.Token
			for range 2 {
				there.want(t, 200, "GET", "/auth/me", token, "")
			}
			here.want(t, 204, "POST", "/auth/sign-out", token, "")
			here.want(t, 401, "GET", "/auth/me", token, "")
			out := time.Now()
			for {
				began := time.Now()
				a, err := there.try(t.Context(), "GET", "/auth/me", token, "")
				if err == nil && a.status == 401 {
					break
				}
				longest = max(longest, began.Sub(out))
				if err != nil || a.status != 200 || longest > bound {
					t.Fatalf("where the stream %s, GET /auth/me elsewhere, begun %v after the sign-out, = %d %s, %v, want 401 within %v",
						stream.name, longest, a.status, a.text, err, bound)
				}
				time.Sleep(time.Millisecond)
			}
		}
		t.Logf("where the stream %s: of %d sign-outs, the last use that another replica let in began %v after the answer", stream.name, rounds, longest)
	}
	there.want(t, 200, "GET", "/auth/me", of, "")
}
