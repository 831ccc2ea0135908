package mongotest

import "testing"

func TestADatabaseOfAServerKeepsItsSettings(t *testing.T) {
	for server, want := range map[string]string{
		"mongodb://h:1/":                           "mongodb://h:1/own",
		"mongodb://a,b,c":                          "mongodb://a,b,c/own",
		"mongodb://a,b/?replicaSet=rs0":            "mongodb://a,b/own?replicaSet=rs0",
		"mongodb://u:p@a/?tls=true":                "mongodb://u:p@a/own?authSource=admin&tls=true",
		"mongodb+srv://u:p@a/app":                  "mongodb+srv://u:p@a/own?authSource=app",
		"mongodb://u:p@a/app?authSource=$external": "mongodb://u:p@a/own?authSource=%24external",
	} {
		if got, err := inside(server, "own"); err != nil || got != want {
			t.Errorf("inside(%s) = %s, %v, want %s", server, got, err, want)
		}
	}
}
