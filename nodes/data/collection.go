package data

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Bounds of what a collection declares.
const (
	maxName   = 64 // bytes of the name of a collection or field
	maxNested = 16 // records and lists inside each other
	maxIndex  = 8  // fields of an index
)

var (
	collectionForm = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	fieldForm      = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// Scalar tells whether values of the kind are single ones, which compare.
func (k Kind) Scalar() bool { return k <= Time }

// String is the name of the kind in messages.
func (k Kind) String() string {
	names := []string{"text", "whole number", "number", "truth value", "time", "record", "list", "open value"}
	if int(k) >= len(names) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return names[k]
}

// holds tells whether a Go value is one of the kind.
func (k Kind) holds(v any) bool {
	switch v := v.(type) {
	case string:
		return k == Text
	case int64:
		return k == Whole
	case float64:
		return k == Decimal && !math.IsNaN(v) && !math.IsInf(v, 0)
	case bool:
		return k == Truth
	case time.Time:
		return k == Time
	}
	return false
}

// Field returns the field that a path names, also one of the four that every
// document has. It is optional where it, or a record on the way, is.
func (c *Collection) Field(path string) (Field, bool) {
	switch path {
	case ID:
		return Field{Name: ID, Kind: Text}, true
	case Version:
		return Field{Name: Version, Kind: Whole}, true
	case Created, Updated:
		return Field{Name: path, Kind: Time}, true
	}
	fields, optional := c.Fields, false
	for {
		name, rest, deeper := strings.Cut(path, ".")
		i := slices.IndexFunc(fields, func(f Field) bool { return f.Name == name })
		if i < 0 {
			return Field{}, false
		}
		f := fields[i]
		optional = optional || f.Optional
		switch {
		case !deeper:
			f.Optional = optional
			return f, true
		case f.Kind != Record:
			return Field{}, false
		}
		fields, path = f.Fields, rest
	}
}

// Check tells what is wrong with a declaration, or returns nil. Stores take
// names for granted only of collections that passed it.
func (c *Collection) Check() error {
	if !collectionForm.MatchString(c.Name) || len(c.Name) > maxName {
		return fmt.Errorf("collection %q: a name is of letters and digits, the first a small letter, at most %d", c.Name, maxName)
	}
	if err := checkFields(c.Fields, maxNested); err != nil {
		return fmt.Errorf("collection %s: %w", c.Name, err)
	}
	for _, f := range c.Fields {
		switch f.Name {
		case ID, Version, Created, Updated:
			return fmt.Errorf("collection %s: every document has %s by itself", c.Name, f.Name)
		}
	}
	for _, x := range c.Indexes {
		if err := c.checkIndex(x); err != nil {
			return fmt.Errorf("collection %s: %w", c.Name, err)
		}
	}
	if f, ok := c.Field(c.Owner); c.Owner != "" && (!ok || f.Kind != Text) {
		return fmt.Errorf("collection %s: the owner %q is no text field", c.Name, c.Owner)
	}
	return nil
}

func (c *Collection) checkIndex(x Index) error {
	if len(x.Fields) == 0 || len(x.Fields) > maxIndex {
		return fmt.Errorf("an index has 1 to %d fields", maxIndex)
	}
	for i, path := range x.Fields {
		if f, ok := c.Field(path); !ok || !f.Kind.Scalar() {
			return fmt.Errorf("index over %q, which is no single value", path)
		}
		if slices.Contains(x.Fields[:i], path) {
			return fmt.Errorf("index over %q twice", path)
		}
	}
	return nil
}

func checkFields(fields []Field, depth int) error {
	if depth == 0 {
		return fmt.Errorf("fields are nested deeper than %d", maxNested)
	}
	for i, f := range fields {
		if !fieldForm.MatchString(f.Name) || len(f.Name) > maxName {
			return fmt.Errorf("field %q: a name is of letters, digits, _ and -, at most %d", f.Name, maxName)
		}
		if slices.ContainsFunc(fields[:i], func(g Field) bool { return g.Name == f.Name }) {
			return fmt.Errorf("field %s is there twice", f.Name)
		}
		if err := checkForm(f, depth); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return nil
}

// checkForm looks at what is inside a field.
func checkForm(f Field, depth int) error {
	switch {
	case f.Kind > Open:
		return fmt.Errorf("unknown %v", f.Kind)
	case f.Kind == Record:
		return checkFields(f.Fields, depth-1)
	case f.Kind == List && f.Items == nil:
		return errors.New("a list says what its items are")
	case f.Kind == List && depth == 1:
		return checkFields(nil, 0)
	case f.Kind == List:
		return checkForm(*f.Items, depth-1)
	}
	return nil
}

// Bounds of a filter, so that no store meets one that its language cannot say.
const (
	MaxDepth = 16  // of All, Any and Not inside each other
	MaxParts = 200 // comparisons, and All, Any and Not
)

// Check tells what is wrong with a filter on documents of a collection, or
// returns nil: stores take a filter for granted that passed it.
func (f Filter) Check(c *Collection) error {
	parts := 0
	return f.check(c, MaxDepth, &parts)
}

func (f Filter) check(c *Collection, depth int, parts *int) error {
	if *parts++; *parts > MaxParts {
		return fmt.Errorf("a condition has more than %d parts", MaxParts)
	}
	if f.Op <= Not {
		if depth == 0 {
			return fmt.Errorf("a condition is nested deeper than %d", MaxDepth)
		}
		if f.Op == Not && len(f.Of) != 1 {
			return fmt.Errorf("not is of one condition, and here of %d", len(f.Of))
		}
		for _, of := range f.Of {
			if err := of.check(c, depth-1, parts); err != nil {
				return err
			}
		}
		return nil
	}
	field, ok := c.Field(f.Path)
	if !ok {
		return fmt.Errorf("%s has no field %q", c.Name, f.Path)
	}
	if err := f.checkValue(field); err != nil {
		return fmt.Errorf("condition on %s: %w", f.Path, err)
	}
	return nil
}

func (f Filter) checkValue(field Field) error {
	kind := field.Kind
	switch {
	case f.Op > Has:
		return fmt.Errorf("unknown operator %d", f.Op)
	case f.Op == Exists:
		if _, ok := f.Value.(bool); !ok {
			return errors.New("exists takes true or false")
		}
		return nil
	case f.Op == Has && kind != List:
		return fmt.Errorf("only a list has values in it, and this is a %v", kind)
	case f.Op == Has:
		kind = field.Items.Kind
	case f.Op == Prefix && kind != Text:
		return fmt.Errorf("only a text begins with another, and this is a %v", kind)
	}
	if !kind.Scalar() {
		return fmt.Errorf("a %v cannot be compared", kind)
	}
	values := []any{f.Value}
	if f.Op == In || f.Op == Nin {
		var ok bool
		if values, ok = f.Value.([]any); !ok {
			return errors.New("in and nin take a list")
		}
	}
	for _, v := range values {
		if !kind.holds(v) {
			return fmt.Errorf("a %T is no %v", v, kind)
		}
	}
	return nil
}
