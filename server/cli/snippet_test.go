package cli_test

import "testing"

func TestCheckShowsTheLineOfAProblem(t *testing.T) {
	files := map[string]string{
		"flows/a.yaml": "about: x\nendpoint: GET ä/b\nsession: none\nsteps:\n  - respond: 204\nähm: x\r\n",
		"flows/b.yaml": "",
	}
	check(t, map[string]try{
		"asked for": {args: "check --snippet", files: files, code: 1, stdout: `DIR/flows/a.yaml:2:15: a path begins with a slash (write /ä/b)
    2 | endpoint: GET ä/b
      |               ^
DIR/flows/a.yaml:6:1: unknown key "ähm"
    6 | ähm: x
      | ^
DIR/flows/b.yaml:1:1: the file is empty (a flow begins with about:, endpoint: and session:)
    1 |
      | ^
3 problems in 2 files
`},
		"not asked for": {args: "check", files: files, code: 1, stdout: `DIR/flows/a.yaml:2:15: a path begins with a slash (write /ä/b)
DIR/flows/a.yaml:6:1: unknown key "ähm"
DIR/flows/b.yaml:1:1: the file is empty (a flow begins with about:, endpoint: and session:)
3 problems in 2 files
`},
	})
}
