package rest

import (
	"testing"
	"time"
)

// A flood of failures is told once a second for each route, with how many there were.
func TestFloodsAreToldOnce(t *testing.T) {
	var q quiet
	start := time.Now()
	for i, tt := range []struct {
		route string
		after time.Duration
		left  int
		ok    bool
	}{
		{"/a", 0, 0, true},
		{"/a", 10 * time.Millisecond, 0, false},
		{"/b", 20 * time.Millisecond, 0, true},
		{"/a", 999 * time.Millisecond, 0, false},
		{"/a", time.Second, 2, true},
		{"/a", 1100 * time.Millisecond, 0, false},
		{"/a", 3 * time.Second, 1, true},
	} {
		if left, ok := q.say(tt.route, start.Add(tt.after)); left != tt.left || ok != tt.ok {
			t.Errorf("%d: say(%s) after %v = %d, %v, want %d, %v", i, tt.route, tt.after, left, ok, tt.left, tt.ok)
		}
	}
}
