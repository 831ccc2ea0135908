package engine

import (
	"fmt"
	"io/fs"
)

// Tops reads the flows of a file system one by one, for tools that must say
// something of endpoints although [Load] refuses them. What it returns has what
// stands above the steps, and no program; files with a mistake of their own are
// left out.
func Tops(fsys fs.FS, env Env) ([]*Flow, error) {
	files, _, err := flowFiles(fsys)
	if err != nil {
		return nil, err
	}
	env.types, _ = loadTypes(fsys, &env)
	var flows []*Flow
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("reading flow: %w", err)
		}
		if d := parseFlow(file, data, &env); d.read && d.params == nil && len(d.problems) == 0 {
			flows = append(flows, d.Flow)
		}
	}
	return flows, nil
}
