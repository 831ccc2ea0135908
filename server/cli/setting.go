package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"sluice/engine"
	"sluice/server"
)

// given are the settings of a command line, by name, as they were written.
type given map[string][]string

// A settingFlag is a flag that notes its value in given, to be read when file
// and environment have been.
type settingFlag struct {
	server.Setting
	given given
}

func (f settingFlag) String() string   { return f.Default }
func (f settingFlag) IsBoolFlag() bool { return f.Switch }

func (f settingFlag) Set(text string) error {
	if !f.List {
		f.given[f.Name] = []string{text}
		return nil
	}
	f.given[f.Name] = append(f.given[f.Name], items(text)...)
	return nil
}

// settingFlags defines a flag for every setting.
func settingFlags(flags *flag.FlagSet) given {
	g := given{}
	for _, s := range server.Settings() {
		flags.Var(settingFlag{s, g}, s.Name, s.Doc)
	}
	return g
}

// variable names the environment variable of a setting.
func variable(name string) string {
	return "SLUICE_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// items splits the text of a list.
func items(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// configure reads the settings from sluice.yaml, then from the environment, then
// from flags; what comes later wins. The problems are those of the file.
func (c *call) configure(flags given) (conf server.Config, problems engine.Problems, err error) {
	conf = server.Config{Dir: c.Dir}
	if problems, err = c.readFile(&conf); err != nil {
		return conf, nil, err
	}
	var wrong []error
	for _, s := range server.Settings() {
		if text := c.Getenv(variable(s.Name)); text != "" {
			values := []string{text}
			if s.List {
				values = items(text)
			}
			if err := conf.Set(s.Name, values...); err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", variable(s.Name), err))
			}
		}
		if values, ok := flags[s.Name]; ok {
			if err := conf.Set(s.Name, values...); err != nil {
				return conf, nil, misused(fmt.Sprintf("--%s: %v", s.Name, err))
			}
		}
	}
	return conf, problems, errors.Join(wrong...)
}

// helpSettings tells every setting with its three names.
func helpSettings(w io.Writer) {
	fmt.Fprint(w, wrapped("Each setting is a flag, an environment variable, or a key of the file sluice.yaml in the working directory; "+
		"the first of these that is there counts. Lists are written with commas, in the file as YAML lists.", "", 80))
	for _, s := range server.Settings() {
		value, standard := " VALUE", ""
		switch {
		case s.Switch:
			value = ""
		case s.List:
			value = " A,B"
		}
		if s.Default != "" && !s.Switch {
			standard = " Default: " + s.Default
		}
		fmt.Fprintf(w, "\n  %-23s %-23s %s:\n", "--"+s.Name+value, variable(s.Name), s.Name)
		fmt.Fprint(w, wrapped(s.Doc+standard, "      ", 74))
	}
}
