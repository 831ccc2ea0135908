package graph

import (
	"fmt"
	"html"
	"strings"
)

const margin = 28

// SVG draws the graph. The drawing is light or dark as its reader likes it, and
// its texts are texts.
func (g *Graph) SVG() string {
	c, w, h := g.lay()
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="graphics-document" aria-labelledby="title about">`+"\n", w, h, w, h)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"about\">%s</desc>\n<style>\n%s</style>\n", html.EscapeString(g.Title), html.EscapeString(g.About), style)
	fmt.Fprintf(&b, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", w, h)
	b.WriteString(c.frames.String())
	b.WriteString(c.edges.String())
	b.WriteString(c.boxes.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// lay draws on a canvas and tells how large it is.
func (g *Graph) lay() (c *canvas, w, h int) {
	c = &canvas{}
	body := g.block(g.steps)
	tags := 0
	for _, t := range g.Tags {
		tags += width(t, smallSize) + 24
	}
	inner := max(body.left+body.right, width(g.Title, titleSize)+10, tags, 300)
	about := wrapped(g.About, nameSize, max(inner, 420))
	for _, l := range about {
		inner = max(inner, width(l, nameSize))
	}
	y := margin + 14
	c.text(&c.boxes, point{margin, y}, "title", "start", g.Title)
	c.boxes.WriteByte('\n')
	y += 8
	for _, l := range about {
		y += 18
		c.text(&c.boxes, point{margin, y}, "about", "start", l)
		c.boxes.WriteByte('\n')
	}
	y += 14
	x := margin
	for _, t := range g.Tags {
		r := rect{x, y, width(t, smallSize) + 16, stubHeight}
		c.begin(r, "tag", t)
		fmt.Fprintf(&c.boxes, `<rect x="%d" y="%d" width="%d" height="%d" rx="6"/>`, r.x, r.y, r.w, r.h)
		c.text(&c.boxes, point{r.x + r.w/2, r.y + 14}, "small", "middle", t)
		c.end()
		x += r.w + 8
	}
	y += stubHeight + 26
	spine := margin + body.left + (inner-body.left-body.right)/2
	fmt.Fprintf(&c.boxes, `<circle class="start" cx="%d" cy="%d" r="6"/>`+"\n", spine, y)
	c.edge(link{way: "start"}, "", true, point{spine, y + 6}, point{spine, y + gap})
	body.draw(c, spine, y+gap)
	return c, inner + 2*margin, y + gap + body.height + margin
}

// style holds the colours. Drawings outlive programs, so it needs nothing that
// is not in the file.
const style = `text{font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;fill:#1f2328}
.title{font-size:18px;font-weight:700}
.about{font-size:13px;fill:#59636e}
.name{font-size:13px;font-weight:600}
.code{font-size:13px;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.small,.label{font-size:11px;fill:#59636e}
.letter{font-size:14px;font-weight:700;fill:#fff}
.middle{text-anchor:middle}
.end{text-anchor:end}
.paper{fill:#fff}
.tag rect{fill:#eff2f5}
.start{fill:#59636e}
.edge{fill:none;stroke:#818b98;stroke-width:1.5}
.arrow{fill:#818b98;stroke:none}
.dashed.edge{stroke-dasharray:5 4}
.thick.edge{stroke-width:3}
.faint.edge{stroke:#c3c9d0;stroke-width:1.2}
.faint.arrow{fill:#c3c9d0}
.card{fill:#fff;stroke:#d1d9e0;stroke-width:1.2}
.choice path{fill:#fff8e6;stroke:#d4a72c;stroke-width:1.2}
.frame rect{fill:#818b98;fill-opacity:.07;stroke:#afb8c1;stroke-width:1.2;stroke-dasharray:6 4}
.good rect{fill:#dafbe1;stroke:#2da44e}
.good text{fill:#116329}
.refused rect{fill:#fff8c5;stroke:#bf8700}
.refused text{fill:#6a4a00}
.broken rect{fill:#ffebe9;stroke:#cf222e}
.broken text{fill:#a40e26}
.other rect{fill:#eff2f5;stroke:#818b98}
.f0 .tile{fill:#0969da}
.f1 .tile{fill:#bc4c00}
.f2 .tile{fill:#8250df}
.f3 .tile{fill:#1a7f37}
.f4 .tile{fill:#0a7ea4}
.f5 .tile{fill:#bf3989}
.f6 .tile{fill:#9a6700}
.f7 .tile{fill:#57606a}
.f8 .tile{fill:#6e7781}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.about,.small,.label{fill:#9198a1}
.letter{fill:#fff}
.paper{fill:#0d1117}
.tag rect{fill:#212830}
.start{fill:#9198a1}
.edge{stroke:#7d8590}
.arrow{fill:#7d8590}
.faint.edge{stroke:#484f58}
.faint.arrow{fill:#484f58}
.card{fill:#161b22;stroke:#3d444d}
.choice path{fill:#2b2411;stroke:#9e7c1e}
.frame rect{stroke:#3d444d}
.good rect{fill:#12261a;stroke:#2ea043}
.good text{fill:#56d364}
.refused rect{fill:#2b2411;stroke:#9e6a03}
.refused text{fill:#e3b341}
.broken rect{fill:#2d1417;stroke:#da3633}
.broken text{fill:#ff7b72}
.other rect{fill:#212830;stroke:#656c76}
}
`
