package engine_test

import (
	"context"
	"errors"
	"time"

	"sluice/engine"
)

// The nodes that this package's flows are tested with: small copies of the
// shapes that the real ones have.

type proven struct{ id string }

func (proven) FlowType() (name, hint string) { return "proven user id", "password.check gives one" }

type user struct {
	ID      string    `json:"id" doc:"Id."`
	Email   string    `json:"email" doc:"Address."`
	Name    *string   `json:"name" doc:"Name to show."`
	Age     int       `json:"age" doc:"Age in years."`
	Score   float64   `json:"score" doc:"Points."`
	Admin   bool      `json:"admin" doc:"Whether the user is an admin."`
	Since   time.Time `json:"since" doc:"When the user signed up."`
	Tags    []string  `json:"tags" doc:"Tags."`
	Address address   `json:"address" doc:"Where the user lives."`
	Hash    string    `json:"hash" secret:"true" doc:"Hash of the password."`
}

type address struct {
	City string `json:"city" doc:"City."`
	Zip  string `json:"zip" doc:"Post code."`
}

type fetchIn struct {
	Email string `json:"email,omitzero" doc:"Address."`
	ID    string `json:"id,omitzero" doc:"Id."`
}

func (fetchIn) Alternatives() [][]string { return [][]string{{"email"}, {"id"}} }

type checkIn struct {
	User     *user  `json:"user" doc:"User to check; may be absent."`
	Password string `json:"password" secret:"true" doc:"Password as typed."`
}

type checkOut struct {
	UserID proven `json:"userId" doc:"Id of the user, proved."`
}

type createIn struct {
	UserID proven        `json:"userId" doc:"Whose session."`
	Groups []string      `json:"groups,omitzero" doc:"Access groups." max:"3"`
	Idle   time.Duration `json:"idle" doc:"How long it lives unused." default:"1h" min:"1m" max:"24h"`
	IP     string        `json:"ip" doc:"Address of the caller." default:"$request.ip"`
}

type sess struct {
	ID     string `json:"id" doc:"Public id."`
	UserID proven `json:"userId" doc:"Whose session."`
	Token  string `json:"token,omitzero" secret:"true" doc:"Token."`
	Power  power  `json:"authority" secret:"true" guard:"groups" doc:"Right to act for others."`
}

type power struct{ ID string }

func (power) FlowType() (name, hint string) { return "authority", "$session.authority is one" }

type powerIn struct {
	By power `json:"by" secret:"true" doc:"Who acts."`
}

type key struct {
	ID   string `json:"id" doc:"Id."`
	Name string `json:"name" doc:"What it is for."`
}

type fresh struct {
	sess
	Token string `json:"token" secret:"once" doc:"Token, shown once."`
}

type deleteIn struct {
	Token string `json:"token" secret:"true" doc:"Token of the session."`
}

type noteIn struct {
	Text   string         `json:"text" doc:"What to note." max:"40"`
	Level  string         `json:"level" doc:"How loud." enum:"low|high" default:"low"`
	Count  int            `json:"count" doc:"How often." default:"1" min:"1" max:"10"`
	Ratio  float64        `json:"ratio,omitzero" doc:"Share."`
	Link   string         `json:"link,omitzero" doc:"Address of a page." format:"uri"`
	HTML   string         `json:"html,omitzero" doc:"Page." format:"html"`
	Data   any            `json:"data,omitzero" doc:"Anything."`
	More   map[string]any `json:"more,omitzero" doc:"Any properties."`
	Where  *address       `json:"where" doc:"Place."`
	Places []address      `json:"places,omitzero" doc:"Places."`
	At     *time.Time     `json:"at" doc:"When."`
}

type noteOut struct {
	In noteIn `json:"in" doc:"What the node was given."`
}

type requestFacts struct {
	IP string `json:"ip" doc:"Address of the caller."`
}

var (
	notFound = engine.NewOutcome("notFound", engine.NotFound, "There is no such user.")
	mismatch = engine.NewOutcome("mismatch", engine.Unauthenticated, "The password is wrong.")
	full     = engine.NewOutcome("full", engine.Conflict, "There is no room.")
)

func testNodes() []*engine.Node {
	ada := "Ada"
	return []*engine.Node{
		engine.Define("user.fetch", "Finds a user.", func(_ context.Context, in fetchIn) (user, error) {
			if in.Email != "ada@example.com" && in.ID != "u1" {
				return user{}, notFound
			}
			return user{ID: "u1", Email: "ada@example.com", Name: &ada, Age: 36, Score: 1.5, Admin: true,
				Since: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), Tags: []string{"a", "b"}, Address: address{"London", "N1"}, Hash: "h4sh"}, nil
		}, notFound),
		engine.Define("password.check", "Proves who a user is.", func(_ context.Context, in checkIn) (checkOut, error) {
			if in.User == nil || in.Password != "secret" {
				return checkOut{}, mismatch
			}
			return checkOut{proven{in.User.ID}}, nil
		}, mismatch),
		engine.Define("session.create", "Opens a session.", func(_ context.Context, in createIn) (fresh, error) {
			return fresh{sess: sess{ID: "s1", UserID: in.UserID}, Token: "tok-" + in.UserID.id + "-" + in.IP}, nil
		}),
		engine.Define("session.delete", "Ends a session.", func(context.Context, deleteIn) (engine.None, error) {
			return engine.None{}, nil
		}),
		engine.Define("power.use", "Acts for others.", func(context.Context, powerIn) (engine.None, error) {
			return engine.None{}, nil
		}),
		engine.Define("note.write", "Notes something.", func(_ context.Context, in noteIn) (noteOut, error) {
			switch in.Text {
			case "full":
				return noteOut{}, full.Because(errors.New("disk 3"))
			case "full of pages":
				return noteOut{}, full.Saying("The last page is full.")
			case "broken":
				return noteOut{}, errors.New("pen fell down at /dev/pen")
			case "away":
				return noteOut{}, errors.Join(errors.New("reaching desk"), engine.ErrUnavailable)
			case "panic":
				panic("no ink")
			}
			return noteOut{in}, nil
		}, full),
	}
}

func testEnv() engine.Env {
	return engine.Env{
		Nodes: testNodes(), Session: engine.TypeOf[sess](), Request: engine.TypeOf[requestFacts](), APIKey: engine.TypeOf[key](),
		Vars: map[string]string{"API_SECRET": "s3cret"},
	}
}
