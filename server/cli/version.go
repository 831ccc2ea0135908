package cli

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
)

func versionCommand() command {
	return command{
		name:  "version",
		about: "Says which Sluice this is.",
		more:  "Example:\n\n  sluice version\n",
		define: func(*flag.FlagSet) func(context.Context, *call) error {
			return func(_ context.Context, c *call) error {
				fmt.Fprintf(c.Stdout, "sluice %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return nil
			}
		},
	}
}

// version names the build: the version of the module or, for a build from a
// working copy, its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of an unknown version"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "changed"
		}
	}
	return strings.Join(strings.Fields("development "+commit+" "+changed), " ")
}
