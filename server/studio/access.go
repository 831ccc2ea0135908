package studio

// Access says what the page may do, before anything else.
type Access struct {
	Name     string `json:"name"`     // of the application: that of its folder
	Version  string `json:"version"`  // of Sluice
	Open     bool   `json:"open"`     // this caller needs no session, or has a good one
	SignIn   string `json:"signIn"`   // path of the flow that takes {email, password} and answers with session.token; "" without one
	Group    string `json:"group"`    // that a session must have; "" where none is asked for
	User     string `json:"user"`     // id of the caller's user; "" for nobody
	ReadOnly bool   `json:"readOnly"` // nothing can be changed or run
	Mode     string `json:"mode"`     // development or production
}
