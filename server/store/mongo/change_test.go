package mongo

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestGuardsOfSumsAreExact(t *testing.T) {
	edges := []int64{0, 1, -1, 2, 100, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
	for _, by := range edges {
		for _, low := range edges {
			for _, high := range edges {
				from, to, ok := wholes(by, low, high)
				for _, n := range edges {
					sum := n + by
					fits := (by <= 0 || sum > n) && (by >= 0 || sum < n)
					want := fits && low <= sum && sum <= high
					if got := ok && from <= n && n <= to; got != want {
						t.Fatalf("wholes(%d, %d, %d) = %d, %d, %t, which takes %d: %t, want %t", by, low, high, from, to, ok, n, got, want)
					}
				}
			}
		}
	}
}

func TestGuardsOfRoundedSumsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	edges := []float64{0, 1, -1, 0.1, -0.1, 0.3, 1e-300, 1e16, 1e300, -1e300, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64}
	pick := func() float64 {
		if r.IntN(3) == 0 {
			return r.NormFloat64() * math.Pow(10, float64(r.IntN(40)-20))
		}
		return edges[r.IntN(len(edges))]
	}
	for range 20000 {
		by, low, high := pick(), pick(), pick()
		from, to := decimals(by, low, high)
		near := []float64{pick(), low - by, high - by, from, to}
		for _, n := range near {
			for _, n := range []float64{n, math.Nextafter(n, math.Inf(1)), math.Nextafter(n, math.Inf(-1))} {
				if math.IsInf(n, 0) {
					continue
				}
				want := low <= n+by && n+by <= high
				if got := from <= n && n <= to; got != want {
					t.Fatalf("decimals(%g, %g, %g) = %g, %g, which takes %g: %t, want %t", by, low, high, from, to, n, got, want)
				}
			}
		}
	}
}
