package nodestest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sluice/nodes/data"
)

func uniquePromises() []documentPromise {
	return []documentPromise{
		{"unique fields are those of one document", uniqueIsUnique},
		{"documents that lack a unique field are free", lackingIsFree},
		{"of parallel creations of one value one wins", oneCreationWins},
		{"what is given up can be taken", givenUpIsFree},
	}
}

// wantTaken fails the test unless an error names the fields of a unique index.
func (s *shelf) wantTaken(call string, err error, fields ...string) {
	s.Helper()
	var taken *data.TakenError
	if !errors.As(err, &taken) || taken.Collection != s.things.Name || !slices.Equal(taken.Fields, fields) {
		s.Errorf("%s = %v, want %s of %s taken", call, err, fields, s.things.Name)
	}
}

func uniqueIsUnique(s *shelf) {
	for _, text := range hostile() {
		serial := bodyWith("serial", text)
		one, two, other := s.add(s.things, serial), newDocument(serial), s.add(s.things, `{"name":"x"}`)
		s.wantTaken("Create("+short(serial)+")", s.Create(s.Context(), s.things, two), "serial")
		s.wantGone(s.things, two.ID)
		_, err := s.Update(s.Context(), s.things, data.Target{ID: other.ID}, set("serial", jsonOf(text)), present())
		s.wantTaken("Update("+short(serial)+")", err, "serial")
		s.want(s.things, other)
		s.want(s.things, one)
	}
	first := s.add(s.things, `{"shop":"a","bay":1,"serial":"mine"}`)
	s.wantTaken("Create(shop and bay)", s.Create(s.Context(), s.things, newDocument(`{"bay":1,"shop":"a"}`)), "shop", "bay")
	second := s.add(s.things, `{"shop":"a","bay":2}`)
	s.add(s.things, `{"shop":"b","bay":1}`)
	_, err := s.Update(s.Context(), s.things, data.Target{ID: second.ID}, inc("bay", int64(-1)), present())
	s.wantTaken("Update(bay)", err, "shop", "bay")
	s.want(s.things, second)

	for _, body := range []string{`{}`, `{"serial":"mine"}`, `{"shop":"a","bay":1,"serial":"mine"}`} { // also with its own values
		again := newDocument(body)
		again.ID = first.ID
		s.wantTaken("Create(an id again with "+body+")", s.Create(s.Context(), s.things, again), data.ID)
	}
	s.want(s.things, first)
	if got, err := s.Update(s.Context(), s.things, data.Target{ID: first.ID}, set("serial", `"mine"`), first.Updated); err != nil || got.Version != 2 {
		s.Errorf("Update(to what it has) = version %d, %v, want 2, nil", got.Version, err)
	}
}

func lackingIsFree(s *shelf) {
	for range 3 {
		for _, body := range []string{`{}`, `{"serial":null}`, `{"shop":"a"}`, `{"bay":1}`, `{"shop":"a","bay":null}`} {
			s.add(s.things, body)
		}
	}
	half, d := s.add(s.things, `{"shop":"a"}`), s.add(s.things, `{"shop":"a","bay":9}`)
	_, err := s.Update(s.Context(), s.things, data.Target{ID: half.ID}, set("bay", `9`), present())
	s.wantTaken("Update(bay)", err, "shop", "bay")
	if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, unset("bay"), present()); err != nil {
		s.Errorf("Update(unset bay) = %v, want nil", err)
	}
	if _, err := s.Update(s.Context(), s.things, data.Target{ID: half.ID}, set("bay", `9`), present()); err != nil {
		s.Errorf("Update(free bay) = %v, want nil", err)
	}
}

func oneCreationWins(s *shelf) {
	for round := range 8 {
		docs := make([]data.Document, 16)
		for i := range docs {
			docs[i] = newDocument(fmt.Sprintf(`{"serial":"r%d"}`, round))
			if round%2 == 1 {
				docs[i] = newDocument(fmt.Sprintf(`{"name":"%d"}`, i))
				docs[i].ID = fmt.Sprint("same", round)
			}
		}
		errTaken := errors.New("taken")
		errs := together(len(docs), func(i int) error {
			err := s.Create(s.Context(), s.things, docs[i])
			if taken := (*data.TakenError)(nil); errors.As(err, &taken) {
				return errTaken
			}
			return err
		})
		s.want(s.things, docs[wantOne(s.T, "Create(the same)", errs, errTaken)])
	}
}

func givenUpIsFree(s *shelf) {
	d := s.add(s.things, `{"serial":"a"}`)
	if err := s.Delete(s.Context(), s.things, data.Target{ID: d.ID}); err != nil {
		s.Fatalf("Delete() = %v, want nil", err)
	}
	d = s.add(s.things, `{"serial":"a"}`)
	if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, set("serial", `"b"`), present()); err != nil {
		s.Fatalf("Update() = %v, want nil", err)
	}
	s.add(s.things, `{"serial":"a"}`)
	s.wantTaken("Create(b)", s.Create(s.Context(), s.things, newDocument(`{"serial":"b"}`)), "serial")
}

func writePromises() []documentPromise {
	return []documentPromise{
		{"several changes happen all together", writesTogether},
		{"of several changes none happens where one cannot", writesOrNothing},
		{"each of several changes sees the ones before", writesSeeEachOther},
		{"transfers in parallel keep the sum", transfersKeepTheSum},
	}
}

// atomic skips the test where the store cannot change several documents at
// once, after a look that it then does not try.
func (s *shelf) atomic() {
	s.Helper()
	if s.Atomic() {
		return
	}
	d := newDocument(`{}`)
	if _, err := s.Write(s.Context(), []data.Write{{Collection: s.things, Create: &d}}, present()); err == nil {
		s.Error("Write() of a store that is not atomic = nil, want an error")
	}
	s.wantGone(s.things, d.ID)
	s.Skip("the store changes one document at a time")
}

func writesTogether(s *shelf) {
	s.atomic()
	changed, gone, made := s.add(s.things, `{"count":1}`), s.add(s.bare, `{"name":"x"}`), newDocument(`{"serial":"new"}`)
	now, do := present(), inc("count", int64(1))
	got, err := s.Write(s.Context(), []data.Write{
		{Collection: s.things, Create: &made},
		{Collection: s.things, Target: data.Target{ID: changed.ID, Version: 1}, Change: &do},
		{Collection: s.bare, Target: data.Target{ID: gone.ID, If: is("name", data.Eq, "x")}},
	}, now)
	if err != nil || len(got) != 3 {
		s.Fatalf("Write() = %d documents, %v, want 3, nil", len(got), err)
	}
	changed.Version, changed.Updated, changed.Body = 2, now, []byte(`{"count":2}`)
	s.wantSame("Write(create)", got[0], made)
	s.wantSame("Write(change)", got[1], changed)
	if got[2].ID != gone.ID || got[2].Body != nil {
		s.Errorf("Write(remove) = %+v, want %s without a body", got[2], gone.ID)
	}
	s.want(s.things, made)
	s.want(s.things, changed)
	s.wantGone(s.bare, gone.ID)
	if got, err := s.Write(s.Context(), nil, now); err != nil || len(got) != 0 {
		s.Errorf("Write(nothing) = %v, %v, want nothing, nil", got, err)
	}
}

func writesOrNothing(s *shelf) {
	s.atomic()
	a, b := s.add(s.things, `{"count":1,"serial":"a"}`), s.add(s.things, `{"count":1,"serial":"b"}`)
	do, take := inc("count", int64(1)), set("serial", `"b"`)
	tooMuch := within("count", int64(1), nil, int64(2))
	taken := newDocument(`{"serial":"b"}`)
	for name, c := range map[string]struct {
		bad  data.Write
		want error // nil for a TakenError
	}{
		"stale": {data.Write{Target: data.Target{ID: b.ID, Version: 2}, Change: &do}, data.ErrStale},
		"unmet": {data.Write{Target: data.Target{ID: b.ID, If: some()}}, data.ErrUnmet},
		"over":  {data.Write{Target: data.Target{ID: a.ID}, Change: &tooMuch}, data.ErrUnmet}, // a has 2 by the first
		"gone":  {data.Write{Target: data.Target{ID: "nobody"}, Change: &do}, data.ErrNotFound},
		"taken": {data.Write{Create: &taken}, nil}, "taken by a change": {data.Write{Target: data.Target{ID: a.ID}, Change: &take}, nil},
	} {
		made, bad := newDocument(`{"serial":"c"}`), c.bad
		bad.Collection = s.things
		_, err := s.Write(s.Context(), []data.Write{
			{Collection: s.things, Create: &made}, {Collection: s.things, Target: data.Target{ID: a.ID}, Change: &do}, bad,
			{Collection: s.things, Target: data.Target{ID: b.ID}},
		}, present())
		var at *data.WriteError
		if !errors.As(err, &at) || at.At != 2 || c.want != nil && !errors.Is(err, c.want) {
			s.Errorf("Write(%s) = %v, want %v at 2", name, err, c.want)
		}
		if c.want == nil {
			s.wantTaken("Write("+name+")", err, "serial")
		}
		s.wantGone(s.things, made.ID)
		s.want(s.things, a)
		s.want(s.things, b)
	}
	many := make([]data.Write, data.MaxWrites+1)
	for i := range many {
		d := newDocument(`{}`)
		many[i] = data.Write{Collection: s.bare, Create: &d}
	}
	if _, err := s.Write(s.Context(), many, present()); err == nil || len(s.found(s.bare, data.Query{})) > 0 {
		s.Errorf("Write(too many changes) = %v, want an error and no change", err)
	}
	if got, err := s.Write(s.Context(), many[:data.MaxWrites], present()); err != nil || len(got) != data.MaxWrites {
		s.Errorf("Write(%d changes) = %d, %v, want all, nil", data.MaxWrites, len(got), err)
	}
}

func writesSeeEachOther(s *shelf) {
	s.atomic()
	d, do, now := newDocument(`{"count":1,"serial":"x"}`), inc("count", int64(1)), present()
	other := newDocument(`{"serial":"x"}`)
	t := data.Target{ID: d.ID}
	got, err := s.Write(s.Context(), []data.Write{
		{Collection: s.things, Create: &d},
		{Collection: s.things, Target: data.Target{ID: d.ID, Version: 1}, Change: &do},
		{Collection: s.things, Target: data.Target{ID: d.ID, Version: 2, If: is("count", data.Eq, int64(2))}, Change: &do},
		{Collection: s.things, Target: t},
		{Collection: s.things, Create: &other},
	}, now)
	if err != nil || len(got) != 5 {
		s.Fatalf("Write() = %d documents, %v, want 5, nil", len(got), err)
	}
	want := d
	s.wantSame("Write(create)", got[0], want)
	want.Version, want.Updated, want.Body = 3, now, []byte(`{"count":3,"serial":"x"}`)
	s.wantSame("Write(second change)", got[2], want)
	s.wantGone(s.things, d.ID)
	s.want(s.things, other)
}

func transfersKeepTheSum(s *shelf) {
	s.atomic()
	const accounts, transfers, money = 4, 40, 10
	ids := make([]string, accounts)
	for i := range ids {
		ids[i] = s.add(s.things, fmt.Sprintf(`{"count":%d}`, money)).ID
	}
	var done atomic.Int64
	errs := together(transfers, func(i int) error {
		out, in := within("count", int64(-3), int64(0), nil), inc("count", int64(3))
		_, err := s.Write(s.Context(), []data.Write{
			{Collection: s.things, Target: data.Target{ID: ids[i%accounts]}, Change: &out},
			{Collection: s.things, Target: data.Target{ID: ids[(i+1+i/accounts%(accounts-1))%accounts]}, Change: &in},
		}, present())
		if err == nil {
			done.Add(1)
		}
		if errors.Is(err, data.ErrUnmet) {
			return nil
		}
		return err
	})
	if err := errors.Join(errs...); err != nil || done.Load() == 0 {
		s.Errorf("Write() = %v after %d transfers, want nil or %v", err, done.Load(), data.ErrUnmet)
	}
	sum := int64(0)
	for _, id := range ids {
		d, err := s.Get(s.Context(), s.things, id, data.Filter{})
		n, _ := data.Value(s.things, d, "count").(int64)
		if err != nil || n < 0 {
			s.Errorf("Get() = %s, %v, want at least 0", d.Body, err)
		}
		sum += n
	}
	if sum != accounts*money {
		s.Errorf("%d transfers made %d of %d", done.Load(), sum, accounts*money)
	}
}

func preparePromises() []documentPromise {
	return []documentPromise{
		{"preparing again changes nothing", preparedAgain},
		{"preparing others keeps documents", preparedOthers},
		{"a contradicted index is refused and leaves all as it was", contradicted},
		{"preparing goes on beside the use", preparedBeside},
	}
}

func preparedAgain(s *shelf) {
	d := s.add(s.things, fullBody)
	s.prepare(s.things, s.bare)
	s.prepare(s.bare, s.things)
	s.want(s.things, d)
	s.wantTaken("Create() after Prepare", s.Create(s.Context(), s.things, newDocument(`{"serial":"s"}`)), "serial")
}

// with returns a collection that has other indexes.
func with(c *data.Collection, indexes ...data.Index) *data.Collection {
	changed := *c
	changed.Indexes = indexes
	return &changed
}

func preparedOthers(s *shelf) {
	d := s.add(s.things, fullBody)
	s.prepare(s.bare) // things is not named
	s.add(s.bare, `{}`)
	s.prepare(s.things, s.bare)
	s.want(s.things, d)

	loose := with(s.things, data.Index{Fields: []string{"name"}, Unique: true})
	s.prepare(loose, s.bare)
	s.want(loose, d)
	twin := s.add(loose, `{"serial":"s","shop":"x","bay":0}`)
	s.wantTaken("Create(name)", s.Create(s.Context(), loose, newDocument(`{"name":"Ada"}`)), "name")
	if got := s.found(loose, data.Query{Filter: is("serial", data.Eq, "s")}); !slices.Equal(got, []string{d.ID, twin.ID}) {
		s.Errorf("Find(serial) = %v, want %v", got, []string{d.ID, twin.ID})
	}
	changed := with(s.things)
	changed.Fields = slices.Concat(s.things.Fields, []data.Field{{Name: "later", Kind: data.Whole, Optional: true}})
	changed.Indexes = []data.Index{{Fields: []string{"later", "name"}}}
	s.prepare(changed)
	s.add(changed, `{"name":"Ada","later":3}`)
	if got := s.found(changed, data.Query{Sort: []data.Sort{{Path: "later"}}}); len(got) != 3 {
		s.Errorf("Find(by a later field) = %v, want 3 documents", got)
	}
}

func contradicted(s *shelf) {
	s.add(s.things, `{"name":"a","count":1,"on":true}`)
	s.add(s.things, `{"name":"a","count":1}`)
	s.add(s.things, `{"name":"a","count":2}`)
	bad := with(s.things, data.Index{Fields: []string{"count", "on"}, Unique: true}, data.Index{Fields: []string{"name", "count"}, Unique: true})
	fresh := &data.Collection{Name: "fresh", Fields: kinds()}
	err := s.Prepare(s.Context(), []*data.Collection{fresh, s.bare, bad})
	if err == nil || !strings.Contains(err.Error(), "things") || !strings.Contains(err.Error(), "name") || !strings.Contains(err.Error(), "count") {
		s.Errorf("Prepare(contradicted) = %v, want an error that names things, name and count", err)
	}
	s.add(s.things, `{"count":7,"on":true}`)
	s.add(s.things, `{"count":7,"on":true}`) // the index of the refused Prepare that is not contradicted
	s.add(s.things, `{"serial":"s"}`)
	s.wantTaken("Create() after a refused Prepare", s.Create(s.Context(), s.things, newDocument(`{"serial":"s"}`)), "serial")
	wrong := &data.Collection{Name: `x"; DROP TABLE users; --`, Fields: kinds()}
	if err := s.Prepare(s.Context(), []*data.Collection{wrong}); err == nil {
		s.Error("Prepare(a name that is a statement) = nil, want an error")
	}
}

func preparedBeside(s *shelf) {
	loose := with(s.things, data.Index{Fields: []string{"count"}}, s.things.Indexes[len(s.things.Indexes)-2])
	d := s.add(s.things, `{"serial":"s","count":0}`)
	errs := together(9, func(i int) error {
		for range 10 {
			if i == 0 {
				for _, c := range []*data.Collection{loose, s.things} {
					if err := s.Prepare(s.Context(), []*data.Collection{c, s.bare}); err != nil {
						return fmt.Errorf("Prepare() = %w", err)
					}
				}
				continue
			}
			if _, err := s.Update(s.Context(), s.things, data.Target{ID: d.ID}, inc("count", int64(1)), d.Updated); err != nil {
				return fmt.Errorf("Update() = %w", err)
			}
			page, err := s.Find(s.Context(), s.things, data.Query{Filter: is("count", data.Gt, int64(0)), Limit: 5})
			if err != nil || len(page) != 1 {
				return fmt.Errorf("Find() = %d documents, %w, want 1", len(page), err)
			}
			if taken := (*data.TakenError)(nil); !errors.As(s.Create(s.Context(), s.things, newDocument(`{"serial":"s"}`)), &taken) {
				return errors.New("Create(taken) passed beside Prepare")
			}
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		s.Errorf("beside Prepare: %v, want nil", err)
	}
	d.Version, d.Body = 81, []byte(`{"serial":"s","count":80}`)
	s.want(s.things, d)
}
