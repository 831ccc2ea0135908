package engine

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// rateUnits are the times that a rate can be for.
var rateUnits = []struct {
	name string
	each time.Duration
}{{"s", time.Second}, {"min", time.Minute}, {"h", time.Hour}, {"day", 24 * time.Hour}}

// ParseRate reads a rate such as 10/min.
func ParseRate(text string) (count int, each time.Duration, ok bool) {
	number, name, _ := strings.Cut(text, "/")
	count, err := strconv.Atoi(number)
	if err != nil || count < 1 {
		return 0, 0, false
	}
	for _, unit := range rateUnits {
		if unit.name == name {
			return count, unit.each, true
		}
	}
	return 0, 0, false
}

// String writes a limit as in 20/min per ip, $body.email; one that is nil is none.
func (l *Limit) String() string {
	if l == nil {
		return "none"
	}
	rate := fmt.Sprintf("%d in %s", l.Rate, l.Each)
	for _, unit := range rateUnits {
		if unit.each == l.Each {
			rate = fmt.Sprintf("%d/%s", l.Rate, unit.name)
		}
	}
	return rate + " per " + strings.Join(l.Per, ", ")
}
