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
// in. The times are printed; only a difference that anybody could see fails.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	samples := times(10, 60, 1000)
	c := newClient(serve(t, open(t)).url)
	c.enter(t, "/auth/sign-up", "ada@example.com", password)
	off := c.enter(t, "/auth/sign-up", "off@example.com", password)
	c.want(t, 204, "POST", "/test/disable", off.Session.Token, "")

	classes := map[string]string{
		"unknown":                      credentials("nobody@example.com", "quite another ferry entirely"),
		"wrong password":               credentials("ada@example.com", "quite another ferry entirely"),
		"disabled":                     credentials("off@example.com", "quite another ferry entirely"),
		"disabled, the right password": credentials("off@example.com", password),
	}
	names := slices.Sorted(maps.Keys(classes))
	took := map[string][]time.Duration{}
	var first answer
	for i := range samples {
		for _, name := range names { // one after another, so that all see the same machine
			began := time.Now()
			a := c.want(t, 401, "POST", "/auth/sign-in", "", classes[name])
			took[name] = append(took[name], time.Since(began))
			a.header.Del("Date")
			if i == 0 && name == names[0] {
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
	if most > 2*least {
		t.Errorf("medians are from %v to %v, want them alike", least, most)
	}
}

func TestLimitsHold(t *testing.T) {
	t.Parallel()
	const rate = 20 // sign-ins a minute, in flows/auth/sign-in.yaml
	s := serve(t, shipped(t))
	c := newClient(s.url)
	c.enter(t, "/auth/sign-up", "ada@example.com", password)
	c.enter(t, "/auth/sign-up", "bob@example.com", password)

	// All at once, so that counting must be exact.
	var mu sync.Mutex
	statuses := map[int]int{}
	var last answer
	began := time.Now()
	var wg sync.WaitGroup
	for n := range 60 {
		wg.Go(func() {
			// Another spelling of the address has no allowance of its own.
			email := []string{"ada@example.com", "ADA@example.com", "\uff41da@Example.com"}[n%3]
			a, err := c.try(t.Context(), "POST", "/auth/sign-in", "", credentials(email, "quite another ferry entirely"))
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			statuses[a.status]++
			if a.status == 429 {
				last = a
			}
		})
	}
	wg.Wait()
	back := int(time.Since(began)/(time.Minute/rate)) + 1 // allowance that came back meanwhile
	if n := statuses[401]; n < rate || n > rate+back || n+statuses[429] != 60 {
		t.Errorf("60 sign-ins at once = %v, want %d to %d of 401 and the rest 429", statuses, rate, rate+back)
	}
	if wait, err := strconv.Atoi(last.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 || last.code() != "rate_limit_exceeded" {
		t.Errorf("sign-in beyond the limit = %v %s, want rate_limit_exceeded and Retry-After of 1 to 60 s", last.header, last.text)
	}
	// Neither the right password helps nor headers that claim another address.
	c.want(t, 429, "POST", "/auth/sign-in", "", credentials("ada@example.com", password))
	body := credentials("ada@example.com", password)
	forged := fmt.Sprintf("POST /auth/sign-in HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n"+
		"Forwarded: for=192.0.2.7\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if got, _, err := exchange(s.addr(), []byte(forged), 2*time.Second); err != nil || !slices.Equal(got, []int{429}) {
		t.Errorf("sign-in with a forged address = %v, %v, want 429", got, err)
	}
	// Others are not held up.
	c.enter(t, "/auth/sign-in", "bob@example.com", password)
	t.Logf("60 sign-ins at once in three spellings: %v", statuses)
}
