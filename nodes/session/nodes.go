package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"sluice/engine"
	"sluice/nodes/audit"
	"sluice/nodes/user"
)

// NotFound is the way out of nodes that are about one session.
var NotFound = engine.NewOutcome("notFound", engine.NotFound, "There is no such session.")

// Nodes returns the session nodes, which keep sessions in s, find users in us and
// record what they do in rec.
func Nodes(s Store, us user.Store, rec *audit.Recorder) []*engine.Node {
	n := keeper{s, rec}
	a := actor{n, us}
	return []*engine.Node{
		engine.Define("session.create", "Opens a session for a user whose identity was just proved. The token is shown this once.",
			n.create, user.Stale, user.SecondFactorRequired, InvalidGroup).Writing("sessions"),
		engine.Define("session.get", "Finds a live session by its token, or by its id and its user.",
			n.get, NotFound).Reading("sessions"),
		engine.Define("session.list", "Lists the live sessions of a user, newest first, a page at a time.",
			n.list).Reading("sessions"),
		engine.Define("session.handles", "Lists the newest sessions of a user for clients that end a session by what it has for a token: "+
			"the caller's own has the token that was sent, each other one its public id, which is no credential. session.delete takes both as handle.",
			n.handles).Reading("sessions"),
		engine.Define("session.update", "Changes the access groups of one session of a user, or of all. "+
			"First setGroups replaces them, then addGroups join, then removeGroups leave. The next request of each session sees the change.",
			n.update, NotFound, InvalidGroup).Writing("sessions"),
		engine.Define("session.delete", "Ends a live session by its token, or by its user and its id or a handle of session.handles. The token is dead from the next request on.",
			n.delete, NotFound).Writing("sessions"),
		engine.Define("session.deleteAll", "Ends all sessions of a user, and every proof of the user's identity that was made before.",
			n.deleteAll).Writing("sessions"),
		engine.Define("session.deleteOthers", "Ends all sessions of a user but one, and every proof of the user's identity that was made before. "+
			"A session that is not live spares nothing.",
			n.deleteOthers).Writing("sessions"),
		engine.Define("session.rotate", "Gives a session a new token, which is shown this once. The old one is dead at once; all else of the session stays.",
			n.rotate, NotFound).Writing("sessions"),
		engine.Define("session.confirm", "Notes that the user of a session has proved anew who they are, for endpoints that want a fresh session.",
			n.confirm, NotFound, user.Stale, NoAuthority, user.SecondFactorRequired).Writing("sessions"),
		engine.Define("session.impersonate", "Opens a session in which the caller acts as another user, for an hour at most. It ends with the caller's own session, "+
			"its end never moves, and in it nobody can set a password, open another session or make a key.",
			a.impersonate, user.NotFound, Protected, InvalidGroup, NoAuthority).Reading("users").Writing("sessions"),
		engine.Define("user.vouch", "Takes the caller's word for who a user is, so that a session can be opened for the user. "+
			"What it gives counts as no proof of the user's own: endpoints that want a fresh session refuse it.",
			a.vouch, user.NotFound, Protected, NoAuthority).Reading("users", "sessions"),
	}
}

type keeper struct {
	store Store
	audit *audit.Recorder
}

// Info is a session as it is shown: it holds no token and proves nothing.
type Info struct {
	ID              string    `json:"id" doc:"Public id of the session; not usable as a token."`
	UserID          string    `json:"userId" doc:"Id of the user whose session it is."`
	CreationDtm     time.Time `json:"creationDtm" doc:"When the session was created."`
	ExpiresDtm      time.Time `json:"expiresDtm" doc:"When the session ends if it is not used again."`
	LastSeenDtm     time.Time `json:"lastSeenDtm" doc:"When the session was last used, to the minute or so."`
	AccessGroupKeys []string  `json:"accessGroupKeys" doc:"Access groups of the session."`
	IP              string    `json:"ip" doc:"Address from which the session was created."`
	UserAgent       UserAgent `json:"userAgent" doc:"Program that created the session."`

	AuthenticatedDtm time.Time      `json:"authenticatedDtm,omitzero" doc:"When the user last proved who they are; absent where somebody else opened the session."`
	ImpersonatedBy   *Impersonation `json:"impersonatedBy" doc:"Who acts as the user in this session, and why; absent where the user does."`
}

// Info returns the session as it is shown.
func (s *Session) Info() Info {
	return Info{
		ID: s.ID, UserID: s.UserID.ID, CreationDtm: s.CreationDtm, ExpiresDtm: s.ExpiresDtm, LastSeenDtm: s.LastSeenDtm,
		AccessGroupKeys: s.AccessGroupKeys, IP: s.IP, UserAgent: s.UserAgent,
		AuthenticatedDtm: s.AuthenticatedDtm, ImpersonatedBy: s.ImpersonatedBy,
	}
}

type createIn struct {
	UserID    user.ProvenID `json:"userId" doc:"Id of the user, as a proof."`
	Groups    []string      `json:"groups,omitzero" doc:"Access groups of the session."`
	IP        string        `json:"ip" default:"$request.ip" doc:"Address of the caller."`
	UserAgent string        `json:"userAgent" default:"$request.userAgent" doc:"User-Agent header of the caller."`
	Idle      time.Duration `json:"idle" default:"1h" min:"1m" max:"4320h" doc:"How long the session lives unused."`
	Lifetime  time.Duration `json:"lifetime" default:"24h" min:"1m" max:"8760h" doc:"How long the session lives however often it is used."`
	Most      int           `json:"most,omitzero" min:"1" max:"1000" doc:"How many live sessions the user may have, this one included; the oldest that are too many end. Absent for any number."`
}

// Fresh is a session that was just created: the one moment its token is shown.
type Fresh struct {
	Session
	Token string `json:"token" secret:"once" doc:"Token of the session. Send it with each request."`
}

func (k keeper) create(ctx context.Context, in createIn) (Fresh, error) {
	if err := user.CheckGroups(in.Groups); err != nil {
		return Fresh{}, err
	}
	switch {
	case in.UserID.Actor != "":
		return Fresh{}, user.Stale.Saying("Somebody who acts for a user cannot open sessions of the user.")
	case in.UserID.Lacks:
		return Fresh{}, user.SecondFactorRequired
	}
	return k.open(ctx, Session{
		UserID: in.UserID, AuthenticatedDtm: in.UserID.Time, Idle: in.Idle, AccessGroupKeys: in.Groups, IP: in.IP,
		UserAgent: ParseUserAgent(in.UserAgent),
	}, in.Lifetime, in.Most, audit.Event{Kind: audit.SignIn, Actor: in.UserID.Giver()})
}

// open stores a session that begins now and says the rest of it in s, and of the
// event that tells so in e. Where most is not 0, the user's oldest sessions end
// that are more than that.
func (k keeper) open(ctx context.Context, s Session, lifetime time.Duration, most int, e audit.Event) (Fresh, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Fresh{}, fmt.Errorf("making id: %w", err)
	}
	token, hash := NewToken()
	now := time.Now().UTC().Truncate(time.Millisecond) // what stores and answers keep
	s.ID, s.CreationDtm, s.LastSeenDtm = id.String(), now, now
	s.ExpiresDtm, s.End = now.Add(min(s.Idle, lifetime)), now.Add(lifetime)
	s.UserID = user.ProvenID{ID: s.UserID.ID, Epoch: s.UserID.Epoch} // the rest is of the proof, not of the session
	s.AccessGroupKeys, s.IP = Groups{Add: s.AccessGroupKeys}.Apply(nil), audit.Visible(s.IP, 64)
	e.Subject, e.SessionID, e.IP = s.UserID.ID, s.ID, s.IP
	err = k.audit.Do(ctx, e, func(ctx context.Context) error {
		if most == 0 {
			return k.store.Create(ctx, hash, s)
		}
		ended, err := k.store.CreateWithin(ctx, hash, s, most)
		Displaced(ctx, ended)
		return err
	})
	switch {
	case errors.Is(err, ErrStaleProof):
		return Fresh{}, user.Stale
	case err != nil:
		return Fresh{}, fmt.Errorf("storing session: %w", err)
	}
	return Fresh{Session: s, Token: token}, nil
}

// oneIn names one session, by its token or by its id and its user.
type oneIn struct {
	Token  string `json:"token,omitzero" secret:"true" doc:"Token of the session."`
	UserID string `json:"userId,omitzero" doc:"Id of the user whose session it is."`
	ID     string `json:"id,omitzero" doc:"Public id of the session."`
}

func (oneIn) Alternatives() [][]string { return [][]string{{"token"}, {"userId", "id"}} }

// which returns the one session that is named, or NotFound where nothing can
// have such a name. An empty id would name all sessions of the user.
func (in oneIn) which() (Which, error) {
	if in.UserID != "" && in.ID != "" {
		return Which{UserID: in.UserID, ID: in.ID}, nil
	}
	h, ok := HashOf(in.Token)
	if !ok {
		return Which{}, NotFound
	}
	return Which{Hash: h}, nil
}

func (k keeper) get(ctx context.Context, in oneIn) (Info, error) {
	w, err := in.which()
	if err != nil {
		return Info{}, err
	}
	now := time.Now()
	if w.ID == "" {
		s, err := Check(ctx, k.store, w.Hash, now)
		switch {
		case errors.Is(err, ErrNoSession):
			return Info{}, NotFound
		case err != nil:
			return Info{}, fmt.Errorf("reading session: %w", err)
		}
		return s.Info(), nil
	}
	s, err := byID(ctx, k.store, w.UserID, w.ID, now)
	switch {
	case errors.Is(err, ErrNoSession):
		return Info{}, NotFound
	case err != nil:
		return Info{}, fmt.Errorf("reading session: %w", err)
	}
	return s.Info(), nil
}

type listIn struct {
	UserID    string `json:"userId" doc:"Id of the user."`
	CurrentID string `json:"currentId,omitzero" doc:"Id of the session to mark as current."`
	After     string `json:"after,omitzero" doc:"Where the page starts: next of the page before."`
	Limit     int    `json:"limit" default:"20" min:"1" max:"100" doc:"Most sessions on a page."`
}

// Listed is a session as one of many.
type Listed struct {
	Info
	Current bool `json:"current" doc:"Whether it is the session of the caller."`
}

type listOut struct {
	Sessions []Listed `json:"sessions" doc:"Sessions on this page, newest first."`
	Next     string   `json:"next,omitzero" doc:"Where the next page starts; absent on the last one."`
}

func (k keeper) list(ctx context.Context, in listIn) (listOut, error) {
	page, err := k.store.List(ctx, in.UserID, in.After, in.Limit+1, time.Now()) // one more tells whether there are more
	if err != nil {
		return listOut{}, fmt.Errorf("listing sessions: %w", err)
	}
	var out listOut
	if len(page) > in.Limit {
		page = page[:in.Limit]
		out.Next = page[in.Limit-1].ID
	}
	for i := range page {
		out.Sessions = append(out.Sessions, Listed{page[i].Info(), page[i].ID == in.CurrentID})
	}
	return out, nil
}

type updateIn struct {
	UserID       string   `json:"userId" doc:"Id of the user whose sessions change."`
	ID           *string  `json:"id" doc:"Id of the only session to change."`
	SetGroups    []string `json:"setGroups,omitzero" doc:"Access groups in place of those there are; an empty list takes all away."`
	AddGroups    []string `json:"addGroups,omitzero" doc:"Access groups to add."`
	RemoveGroups []string `json:"removeGroups,omitzero" doc:"Access groups to take away."`
}

type updateOut struct {
	Updated int `json:"updated" doc:"How many live sessions there were to change."`
}

func (k keeper) update(ctx context.Context, in updateIn) (updateOut, error) {
	if err := user.CheckGroups(in.SetGroups, in.AddGroups, in.RemoveGroups); err != nil {
		return updateOut{}, err
	}
	w := Which{UserID: in.UserID}
	if in.ID != nil {
		w.ID = *in.ID
		if w.ID == "" {
			return updateOut{}, NotFound // and not all of them
		}
	}
	g := Groups{Set: in.SetGroups, Add: in.AddGroups, Remove: in.RemoveGroups}
	var n int
	err := k.audit.Do(ctx, g.event(w), func(ctx context.Context) (err error) {
		n, err = k.store.Update(ctx, w, g, time.Now())
		Recorded(ctx, n, false)
		return err
	})
	switch {
	case err != nil:
		return updateOut{}, fmt.Errorf("changing sessions: %w", err)
	case in.ID != nil && n == 0:
		return updateOut{}, NotFound
	}
	return updateOut{Updated: n}, nil
}

type deleteIn struct {
	oneIn
	Handle string `json:"handle,omitzero" secret:"true" doc:"What session.handles has as the token of a session of the user: its public id, or its token."`
}

func (deleteIn) Alternatives() [][]string {
	return [][]string{{"token"}, {"userId", "id"}, {"userId", "handle"}}
}

func (k keeper) delete(ctx context.Context, in deleteIn) (engine.None, error) {
	w, err := in.which()
	if in.Handle != "" {
		w, err = k.handled(ctx, in.UserID, in.Handle)
	}
	if err != nil {
		return engine.None{}, err
	}
	e, err := k.ending(ctx, w)
	if err != nil {
		return engine.None{}, err
	}
	switch n, err := end(ctx, k.store, k.audit, e, w); {
	case err != nil:
		return engine.None{}, fmt.Errorf("ending session: %w", err)
	case n == 0:
		return engine.None{}, NotFound
	}
	return engine.None{}, nil
}

type allIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
}

type othersIn struct {
	UserID string `json:"userId" doc:"Id of the user."`
	ID     string `json:"id" doc:"Id of the session that lives on."`
}

type endedOut struct {
	Ended int `json:"ended" doc:"How many live sessions were ended."`
}

func (k keeper) deleteAll(ctx context.Context, in allIn) (endedOut, error) {
	return k.endAll(ctx, Which{UserID: in.UserID})
}

func (k keeper) deleteOthers(ctx context.Context, in othersIn) (endedOut, error) {
	return k.endAll(ctx, Which{UserID: in.UserID, Except: in.ID})
}

func (k keeper) endAll(ctx context.Context, w Which) (endedOut, error) {
	n, err := End(ctx, k.store, k.audit, w)
	if err != nil {
		return endedOut{}, fmt.Errorf("ending sessions: %w", err)
	}
	return endedOut{Ended: n}, nil
}
