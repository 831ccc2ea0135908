package lsp

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// An overlay is a file system in which some files are as an editor has them, saved or not.
type overlay struct {
	fs.FS
	open map[string]string // by path
}

func (o overlay) Open(name string) (fs.File, error) {
	if s, ok := o.open[name]; ok {
		return &openFile{strings.NewReader(s), entry{name, int64(len(s))}}, nil
	}
	return o.FS.Open(name)
}

func (o overlay) ReadFile(name string) ([]byte, error) {
	if s, ok := o.open[name]; ok {
		return []byte(s), nil
	}
	return fs.ReadFile(o.FS, name)
}

// ReadDir adds files that were never saved to those of a folder.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(o.FS, name)
	if err != nil {
		return nil, err
	}
	for file, s := range o.open {
		known := slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == path.Base(file) })
		if path.Dir(file) == name && !known {
			entries = append(entries, fs.FileInfoToDirEntry(entry{file, int64(len(s))}))
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// An openFile is the content of a buffer.
type openFile struct {
	*strings.Reader
	entry entry
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.entry, nil }
func (f *openFile) Close() error               { return nil }

// An entry tells of a file that is a buffer.
type entry struct {
	path string
	size int64
}

func (e entry) Name() string       { return path.Base(e.path) }
func (e entry) Size() int64        { return e.size }
func (e entry) Mode() fs.FileMode  { return 0o444 }
func (e entry) ModTime() time.Time { return time.Time{} }
func (e entry) IsDir() bool        { return false }
func (e entry) Sys() any           { return nil }
