package data

import "sluice/engine"

// FromEngine makes the collection that stores know of one that an app declares.
func FromEngine(of *engine.Collection) *Collection {
	c := &Collection{Name: of.Name, Fields: fieldsOf(of.Fields), Owner: of.Owner}
	for _, fields := range of.Unique {
		c.Indexes = append(c.Indexes, Index{Fields: fields, Unique: true})
	}
	for _, fields := range of.Indexes {
		c.Indexes = append(c.Indexes, Index{Fields: fields})
	}
	return c
}

func fieldsOf(t *engine.Type) []Field {
	fields := make([]Field, len(t.Props))
	for i, p := range t.Props {
		fields[i] = formOf(p.Type)
		fields[i].Name, fields[i].Optional = p.Name, p.Optional && !p.HasDefault
	}
	return fields
}

// formOf is a field of a type, without its name.
func formOf(t *engine.Type) Field {
	switch t.Base {
	case engine.String:
		switch {
		case t.IsTime():
			return Field{Kind: Time}
		case t.IsText():
			return Field{Kind: Text}
		}
	case engine.Boolean:
		return Field{Kind: Truth}
	case engine.Integer:
		return Field{Kind: Whole}
	case engine.Number:
		return Field{Kind: Decimal}
	case engine.Array:
		items := formOf(t.Items)
		return Field{Kind: List, Items: &items}
	case engine.Object:
		if !t.Open {
			return Field{Kind: Record, Fields: fieldsOf(t)}
		}
	}
	return Field{Kind: Open}
}
