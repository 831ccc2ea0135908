package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestNobodyLearnsWhoHasAnAccount compares the answers to those who cannot sign
// in. Each sample is of an account and an address of its own, so that none is
// throttled. In a short run the times are printed, and only a difference that
// anybody could see fails.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	samples := times(10, 60, 2000)
	dir := open(t)
	seed(t, dir, 3*samples, samples)
	c := newClient(serve(t, dir, "--trusted-proxies", "127.0.0.1").url)
	const wrong = "quite another ferry entirely"
	classes := map[string]func(i int) string{
		"unknown":                      func(i int) string { return credentials("nobody-"+numbered(i), wrong) },
		"wrong password":               func(i int) string { return credentials(numbered(i), wrong) },
		"disabled":                     func(i int) string { return credentials(numbered(samples+i), wrong) },
		"disabled, the right password": func(i int) string { return credentials(numbered(2*samples+i), password) },
	}
	names := slices.Sorted(maps.Keys(classes))
	took := map[string][]time.Duration{}
	var first answer
	for i := range samples {
		for n, name := range names { // one after another, so that all see the same machine
			from := c.at(fmt.Sprintf("198.18.%d.%d", (4*i+n)/250, (4*i+n)%250+1))
			began := time.Now()
			a := from.want(t, 401, "POST", "/auth/sign-in", "", classes[name](i))
			took[name] = append(took[name], time.Since(began))
			a.header.Del("Date")
			if i == 0 && n == 0 {
				first = a
			}
			if a.text != first.text || !maps.EqualFunc(a.header, first.header, slices.Equal) {
				t.Fatalf("sign-in of %s = %s %v, want %s %v as of %s", name, a.text, a.header, first.text, first.header, names[0])
			}
		}
	}
	if first.code() != "invalid_credentials" {
		t.Errorf("sign-in of %s = %s, want invalid_credentials", names[0], first.text)
	}
	least, most := time.Hour, time.Duration(0)
	for _, name := range names {
		slices.Sort(took[name])
		median := took[name][samples/2]
		least, most = min(least, median), max(most, median)
		t.Logf("%-28s median %.2f ms, fastest %.2f ms, of %d", name, median.Seconds()*1e3, took[name][0].Seconds()*1e3, samples)
	}
	slack := 2.0
	if long() {
		slack = 1.05
	}
	if float64(most) > slack*float64(least) {
		t.Errorf("medians are from %v to %v, want them alike up to %v", least, most, slack)
	}
}

// guess tries wrong passwords of an account, first many at once and then one
// after the other until none is looked at any more, and returns the answers by
// status. What the server had no time for is not counted, so it is tried again.
func guess(t *testing.T, c *client, spellings ...string) map[int]int {
	t.Helper()
	var mu sync.Mutex
	statuses := map[int]int{}
	try := func(n int) int {
		a, err := c.at(fmt.Sprintf("198.18.0.%d", n+1)).try(t.Context(), "POST", "/auth/sign-in", "", credentials(spellings[n%len(spellings)], "quite another ferry entirely"))
		if err != nil {
			t.Error(err)
			return 0
		}
		mu.Lock()
		defer mu.Unlock()
		statuses[a.status]++
		if wait, err := strconv.Atoi(a.header.Get("Retry-After")); a.status == 429 && (err != nil || wait < 1 || wait > 360 || a.code() != "throttled") {
			t.Errorf("sign-in beyond the limit = %v %s, want throttled and Retry-After of 1 to 360 s", a.header, a.text)
		}
		return a.status
	}
	var wg sync.WaitGroup
	for n := range 200 {
		wg.Go(func() { try(n) })
	}
	wg.Wait()
	for range 50 {
		if status := try(0); status == 429 {
			return statuses
		}
	}
	t.Errorf("after 250 wrong passwords %v, want them refused", statuses)
	return statuses
}

func TestLimitsHold(t *testing.T) {
	t.Parallel()
	const allowed = 10 // wrong passwords an hour
	dir := open(t)
	s := serve(t, dir)
	c := newClient(s.url)
	c.enter(t, "/auth/sign-up", "ada@example.com", password)
	c.enter(t, "/auth/sign-up", "bob@example.com", password)

	// Another spelling of the address has no allowance of its own.
	statuses := guess(t, c, "ada@example.com", "ADA@example.com", "\uff41da@Example.com")
	if statuses[401] != allowed || statuses[401]+statuses[429]+statuses[503] < 200 {
		t.Errorf("200 wrong passwords at once = %v, want %d of 401 and the rest 429", statuses, allowed)
	}
	// Neither the right password helps nor headers that claim another address.
	refused := func(when, email string) {
		t.Helper()
		body := credentials(email, password)
		forged := fmt.Sprintf("POST /auth/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n"+
			"Forwarded: for=192.0.2.7\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if got, _, err := exchange(s.addr(), []byte(forged), 2*time.Second); err != nil || !slices.Equal(got, []int{429}) {
			t.Errorf("sign-in with a forged address %s = %v, %v, want 429", when, got, err)
		}
		c.want(t, 429, "POST", "/auth/sign-in", "", body)
	}
	refused("at once", "ada@example.com")
	// Others are not held up.
	c.enter(t, "/auth/sign-in", "bob@example.com", password)
	// A crash forgets no more than the last second or so.
	time.Sleep(2500 * time.Millisecond)
	s.kill()
	s = serve(t, dir)
	c = newClient(s.url)
	refused("after a crash", "ada@example.com")
	c.enter(t, "/auth/sign-in", "bob@example.com", password)
	t.Logf("200 sign-ins at once in three spellings: %v", statuses)
}

// Whatever a caller writes into X-Forwarded-For, it is counted as one caller.
func TestForgedAddressesAreOneCaller(t *testing.T) {
	t.Parallel()
	const allowed = 12
	calls := times(500, 10_000, 10_000)
	for name, c := range map[string]struct {
		proxies []string
		hop     string // what the last proxy adds
	}{
		"no proxy":        {nil, ""},
		"a trusted proxy": {[]string{"--trusted-proxies", "127.0.0.1,10.0.0.0/8"}, ", 203.0.113.7, 10.1.2.3"},
		"another proxy":   {[]string{"--trusted-proxies", "10.0.0.0/8"}, ", 10.1.2.3"},
	} {
		s := serve(t, open(t), append(c.proxies, "--address-failures", strconv.Itoa(allowed))...)
		caller := newClient(s.url)
		var mu sync.Mutex
		statuses := map[int]int{}
		var wg sync.WaitGroup
		for part := range 8 {
			wg.Go(func() {
				for i := part; i < calls; i += 8 {
					a, err := caller.at(fmt.Sprintf("198.18.%d.%d%s", i/250, i%250+1, c.hop)).
						try(t.Context(), "POST", "/auth/sign-in", "", credentials("nobody-"+numbered(i), "quite another ferry entirely"))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					statuses[a.status]++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		// One comes back in five minutes.
		if statuses[401] != allowed || statuses[429] != calls-allowed {
			t.Errorf("behind %s: %d sign-ins with forged addresses = %v, want %d of 401 and the rest 429", name, calls, statuses, allowed)
		}
		s.kill()
	}
}

// Who floods an account shuts its owner out of no place that the owner uses.
func TestFloodShutsNoOwnerOut(t *testing.T) {
	t.Parallel()
	c := newClient(serve(t, open(t), "--trusted-proxies", "127.0.0.1").url)
	c.at("192.0.2.7").enter(t, "/auth/sign-up", "ada@example.com", password)
	c.at("192.0.2.7").enter(t, "/auth/sign-in", "ada@example.com", password)
	guess(t, c, "ada@example.com")
	c.at("198.18.0.77").want(t, 429, "POST", "/auth/sign-in", "", credentials("ada@example.com", password))
	c.at("192.0.2.99").enter(t, "/auth/sign-in", "ada@example.com", password)
}
