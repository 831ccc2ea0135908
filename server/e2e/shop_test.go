package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestABackupOfTheShopServesTheSameDocuments sells things, backs up while others
// go on buying, and restores the backup elsewhere.
func TestABackupOfTheShopServesTheSameDocuments(t *testing.T) {
	noSockets(t)
	dir := open(t)
	owner(t, dir, password+"\n", "user", "add", "--email", "keeper@example.com", "--groups", "shopkeeper", "--password-stdin")
	c := newClient(serve(t, dir).url)
	keeper := c.enter(t, "/auth/sign-in", "keeper@example.com", password).Session.Token
	for i := range 20 {
		body := fmt.Sprintf(`{"sku":"INK-%d","name":"Ink & <b>%d</b> é \u2028","category":"pens","price":%d,"stock":1000000}`, i, i, 100+i)
		c.want(t, 201, "POST", "/examples/shop/admin/products", keeper, body)
	}
	ada := c.enter(t, "/auth/sign-up", "ada@example.com", password).Session.Token
	var orders []string
	for i := range 5 {
		c.buy(t, t.Context(), ada, i)
		orders = append(orders, c.order(t, ada))
	}
	c.want(t, 201, "POST", "/examples/shop/basket", ada, `{"sku":"INK-7","quantity":9}`)
	reads := []string{"/examples/shop/products?sort=-price", "/examples/shop/orders", "/examples/shop/basket"}
	for _, id := range orders {
		reads = append(reads, "/examples/shop/orders/"+id)
	}
	eve := c.enter(t, "/auth/sign-up", "eve@example.com", password).Session.Token

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	var bought atomic.Int64
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			c.buy(t, ctx, eve, i%20)
			bought.Add(1)
		}
	})
	for end := time.Now().Add(10 * time.Second); bought.Load() < 3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
	}
	acknowledged := c.orders(t, eve)
	said := owner(t, dir, "", "backup", "shop.backup")
	stop()
	wg.Wait()
	if !strings.Contains(said, "5 collections, ") || !strings.Contains(said, " documents") {
		t.Errorf("backup = %s, want it to tell of documents", said)
	}

	elsewhere := open(t)
	serve(t, elsewhere).stop(t) // which declares the collections, indexes them, and begins an audit log
	owner(t, elsewhere, "", "restore", "--replace", filepath.Join(dir, "shop.backup"))
	there := newClient(serve(t, elsewhere).url)
	for _, path := range reads {
		want, got := c.want(t, 200, "GET", path, ada, ""), there.want(t, 200, "GET", path, ada, "")
		if path == reads[0] { // the stock goes down while others buy
			want.text, got.text = withoutStock(t, want), withoutStock(t, got)
		}
		if !sameJSON(t, want, got) {
			t.Errorf("GET %s of the restored shop = %s, want %s", path, got.text, want.text)
		}
	}
	if got := there.orders(t, eve); got < acknowledged {
		t.Errorf("the restored shop has %d orders of eve, of which %d were acknowledged before the backup", got, acknowledged)
	}
	there.want(t, 409, "POST", "/examples/shop/admin/products", keeper, `{"sku":"INK-3","name":"Other","category":"pens","price":1}`)
	there.buy(t, t.Context(), ada, 3)
	if got := len(there.page(t, ada)); got != len(orders)+1 {
		t.Errorf("after an order in the restored shop there are %d, want %d", got, len(orders)+1)
	}
	doctor := owner(t, elsewhere, "", "doctor")
	if !strings.Contains(doctor, "products 20") {
		t.Errorf("doctor = %s, want it to count the documents", doctor)
	}
	t.Logf("%d orders while the backup was made; %s", bought.Load(), strings.TrimSpace(said))
}

// buy puts one thing into the basket and checks out, unless ctx ends meanwhile.
func (c *client) buy(t testing.TB, ctx context.Context, token string, thing int) {
	t.Helper()
	for _, call := range [][2]string{
		{"/examples/shop/basket", fmt.Sprintf(`{"sku":"INK-%d","quantity":2}`, thing)},
		{"/examples/shop/checkout", `{"address":{"name":"Ada","street":"1 Mill Lane","city":"Gent","country":"be"}}`},
	} {
		a, err := c.try(ctx, "POST", call[0], token, call[1])
		if ctx.Err() == nil && (err != nil || a.status/100 != 2) {
			t.Errorf("POST %s = %d %s, %v, want 2xx", call[0], a.status, a.text, err)
		}
	}
}

func (c *client) page(t testing.TB, token string) []struct{ ID string } {
	t.Helper()
	var page struct{ Orders []struct{ ID string } }
	if err := c.want(t, 200, "GET", "/examples/shop/orders?limit=100", token, "").into(&page); err != nil {
		t.Fatal(err)
	}
	return page.Orders
}

func (c *client) orders(t testing.TB, token string) int { return len(c.page(t, token)) }

// order is the id of the latest one.
func (c *client) order(t testing.TB, token string) string {
	t.Helper()
	page := c.page(t, token)
	if len(page) == 0 {
		t.Fatal("there is no order")
	}
	return page[0].ID
}

func withoutStock(t testing.TB, a answer) string {
	t.Helper()
	var page struct{ Products []map[string]any }
	if err := a.into(&page); err != nil || len(page.Products) != 20 {
		t.Fatalf("%d products, %v, want 20", len(page.Products), err)
	}
	for _, p := range page.Products {
		delete(p, "stock")
	}
	text, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func sameJSON(t testing.TB, a, b answer) bool {
	t.Helper()
	var x, y any
	if err := a.into(&x); err != nil {
		t.Fatal(err)
	}
	if err := b.into(&y); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
