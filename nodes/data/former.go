package data

import "slices"

// WithFormer returns the declaration as stores keep it for those who read all
// that they hold: with the fields, behind its own, that an earlier declaration had
// and this one has not, as documents may still have them. before may be nil.
func (c *Collection) WithFormer(before *Collection) *Collection {
	all := *c
	if before != nil {
		all.Fields = withFormer(c.Fields, before.Fields)
	}
	return &all
}

func withFormer(now, before []Field) []Field {
	all := slices.Clone(now)
	for _, f := range before {
		i := slices.IndexFunc(all, func(g Field) bool { return g.Name == f.Name })
		if i >= 0 {
			all[i] = formOfBoth(all[i], f)
			continue
		}
		f.Optional = true
		all = append(all, f)
	}
	return all
}

// formOfBoth is the form of a field with what a former one had inside.
func formOfBoth(now, before Field) Field {
	switch {
	case now.Kind != before.Kind:
	case now.Kind == Record:
		now.Fields = withFormer(now.Fields, before.Fields)
	case now.Kind == List:
		items := formOfBoth(*now.Items, *before.Items)
		now.Items = &items
	}
	return now
}
