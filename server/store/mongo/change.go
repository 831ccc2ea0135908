package mongo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"sluice/nodes/data"
)

// An edit is a change as the database takes it.
type edit struct {
	guards []bson.D // that must hold of the document, or the change is refused
	update bson.D
	never  bool // no document can hold what it asks for
	reads  bool // the guards do not say all, so that the document must be read first
}

// editOf is what a change asks for.
func editOf(c *data.Collection, ch data.Change, now time.Time) (*edit, error) {
	e := &edit{}
	set, add := bson.D{{Key: "u", Value: date(now)}}, bson.D{{Key: "v", Value: int64(1)}}
	var unset, push, unique, pull bson.D
	for _, path := range ch.Unset {
		unset = append(unset, bson.E{Key: place(path), Value: true})
	}
	for _, s := range ch.Set {
		v, err := declared(c, s.Path, s.JSON)
		switch {
		case err != nil:
			return nil, err
		case v.IsZero(): // null is not there
			unset = append(unset, bson.E{Key: place(s.Path), Value: true})
		default:
			set = append(set, bson.E{Key: place(s.Path), Value: v})
		}
	}
	for _, i := range ch.Inc {
		by, err := e.inc(i)
		if err != nil {
			return nil, err
		}
		add = append(add, bson.E{Key: place(i.Path), Value: by})
	}
	for _, p := range ch.Push {
		items, err := e.push(c, p)
		switch each := (bson.E{Key: place(p.Path), Value: bson.D{{Key: "$each", Value: items}}}); {
		case err != nil:
			return nil, err
		case p.Unique:
			unique = append(unique, each)
		default:
			push = append(push, each)
		}
	}
	for _, p := range ch.Pull {
		item, err := declaredItem(c, p.Path, p.JSON)
		if err != nil {
			return nil, err
		}
		pull = append(pull, bson.E{Key: place(p.Path), Value: bson.A{item}})
	}
	for _, part := range []bson.E{{Key: "$set", Value: set}, {Key: "$inc", Value: add}, {Key: "$unset", Value: unset},
		{Key: "$push", Value: push}, {Key: "$addToSet", Value: unique}, {Key: "$pullAll", Value: pull}} {
		if len(part.Value.(bson.D)) > 0 { // the server takes no empty ones
			e.update = append(e.update, part)
		}
	}
	return e, nil
}

// declared is JSON for the field of a path.
func declared(c *data.Collection, path string, text []byte) (bson.RawValue, error) {
	f, ok := c.Field(path)
	if !ok {
		return bson.RawValue{}, fmt.Errorf("%s has no field %s", c.Name, path)
	}
	return valueOf(&f, text)
}

// declaredItem is JSON for an item of the list of a path.
func declaredItem(c *data.Collection, path string, text []byte) (v bson.RawValue, err error) {
	f, ok := c.Field(path)
	if !ok || f.Kind != data.List {
		return v, fmt.Errorf("%s has no list %s", c.Name, path)
	}
	if v, err = valueOf(f.Items, text); err == nil && v.IsZero() {
		err = fmt.Errorf("an item of %s is null", path)
	}
	return v, err
}

// push returns the items of a push, and guards the length of the list: a list
// of n items has none at position n.
func (e *edit) push(c *data.Collection, p data.Push) (items bson.A, err error) {
	items = bson.A{}
	for _, text := range p.JSON {
		item, err := declaredItem(c, p.Path, text)
		if err != nil {
			return nil, err
		}
		if !p.Unique || !slices.ContainsFunc(items, func(other any) bool { return item.Equal(other.(bson.RawValue)) }) {
			items = append(items, item)
		}
	}
	switch free := p.Most - len(items); {
	case p.Most == 0 || len(items) == 0:
	case !p.Unique && free < 0:
		e.never = true
	case !p.Unique:
		e.guards = append(e.guards, shorter(p.Path, free))
	case len(items) == 1:
		e.guards = append(e.guards, some(where(has(p.Path, items[0])), shorter(p.Path, free)))
	default:
		// How many of the items are new depends on the list, and only a pipeline
		// could count them.
		e.reads = true
	}
	return items, nil
}

// shorter is the filter of documents whose list has n items at most.
func shorter(path string, n int) bson.D {
	return where(exists(place(path)+"."+strconv.Itoa(n), false))
}

// has is the condition of a list that has an item.
func has(path string, item any) bson.E {
	return condition(place(path), "$elemMatch", bson.D{{Key: "$eq", Value: item}})
}

// inc returns what to add, and guards what becomes of it. A number that is not
// there is 0 and so as good as one that is, or not.
func (e *edit) inc(i data.Inc) (by any, err error) {
	at := place(i.Path)
	var least, most any
	var zero, none bool // 0 is among the numbers that will do; no number is
	switch by := i.By.(type) {
	case int64:
		low, high, err := bounds(i, int64(math.MinInt64), math.MaxInt64)
		if err != nil {
			return nil, err
		}
		from, to, ok := wholes(by, low, high)
		least, most, zero, none = from, to, from <= 0 && to >= 0, !ok
	case float64:
		low, high, err := bounds(i, -math.MaxFloat64, math.MaxFloat64)
		if err != nil {
			return nil, err
		}
		from, to := decimals(by, low, high)
		least, most, zero, none = from, to, from <= 0 && to >= 0, from > to
	default:
		return nil, errValue(i.By)
	}
	switch {
	case none:
		e.never = true
	case zero:
		e.guards = append(e.guards, where(bson.E{Key: "$nor", Value: bson.A{where(below(at, least)), where(above(at, most))}}))
	default:
		e.guards = append(e.guards, where(condition(at, "$gte", least)), where(upTo(at, most)))
	}
	return i.By, nil
}

// bounds are the least and the most that a number may become.
func bounds[N int64 | float64](i data.Inc, least, most N) (low, high N, err error) {
	for _, b := range []struct {
		given any
		bound *N
	}{{i.Least, &least}, {i.Most, &most}} {
		if b.given == nil {
			continue
		}
		n, ok := b.given.(N)
		if !ok {
			return 0, 0, errValue(b.given)
		}
		*b.bound = n
	}
	return least, most, nil
}

// wholes are the least and the most number to which by can be added so that
// the sum is between low and high, if there is any.
func wholes(by, low, high int64) (from, to int64, ok bool) {
	// The sums with the ends of 64 bits, as far as they are in 64 bits.
	smallest, largest := int64(math.MinInt64), int64(math.MaxInt64)
	if by > 0 {
		smallest += by
	} else {
		largest += by
	}
	low, high = max(low, smallest), min(high, largest)
	return low - by, high - by, low <= high
}

// decimals are the least and the most number to which by can be added so that
// the sum, rounded as sums are, is between low and high. Where there is none,
// from is more than to.
func decimals(by, low, high float64) (from, to float64) {
	n := first(func(d float64) bool { return d+by >= low })
	m := first(func(d float64) bool { return d+by > high })
	return n, math.Nextafter(m, math.Inf(-1))
}

// first is the least number for which a condition holds that holds for all
// greater ones too, or infinity.
func first(holds func(float64) bool) float64 {
	// The bits of numbers, in their order.
	number := func(n int64) float64 {
		if n < 0 {
			n = math.MinInt64 - n
		}
		return math.Float64frombits(uint64(n))
	}
	end := int64(math.Float64bits(math.Inf(1)))
	low, high := -int64(math.Float64bits(math.MaxFloat64)), end
	for low < high {
		// The sum of both can be out of 64 bits.
		if middle := low + int64(uint64(high-low)/2); holds(number(middle)) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return number(low)
}
