package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A progress tells how many records of about how many went by: on a terminal as
// a bar in one line, elsewhere as a line now and then.
type progress struct {
	w     io.Writer
	doing string
	total int // 0 where it is not known
	bar   bool
	began time.Time
	told  time.Time
	done  int
}

// Times between two words of a progress.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
	barCells  = 24
)

func newProgress(w io.Writer, doing string, total int) *progress {
	now := time.Now()
	return &progress{w: w, doing: doing, total: total, bar: isTerminal(w), began: now, told: now}
}

// seen notes how many records went by.
func (p *progress) seen(n int) {
	p.done = n
	every := lineEvery
	if p.bar {
		every = barEvery
	}
	if now := time.Now(); now.Sub(p.told) >= every {
		p.told = now
		p.tell()
	}
}

// tell writes the state of things.
func (p *progress) tell() {
	rate := float64(p.done) / max(time.Since(p.began).Seconds(), 0.001)
	text := fmt.Sprintf("%s: %d records, %.0f/s", p.doing, p.done, rate)
	if p.total > 0 {
		part := min(float64(p.done)/float64(p.total), 1)
		text = fmt.Sprintf("%s: %3.0f %%, %d of about %d records, %.0f/s", p.doing, part*100, p.done, p.total, rate)
		if p.bar {
			full := int(part * barCells)
			text = fmt.Sprintf("%s [%s%s] %3.0f %% of about %d records, %.0f/s", p.doing,
				strings.Repeat("#", full), strings.Repeat(".", barCells-full), part*100, p.total, rate)
		}
	}
	if p.bar {
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		return
	}
	fmt.Fprintln(p.w, text)
}

// end leaves a terminal with the cursor at the beginning of an empty line.
func (p *progress) end() {
	if p.bar {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
