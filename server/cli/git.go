package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// extract writes the flow files that a folder held at a revision into another
// folder.
func extract(ctx context.Context, dir, rev, into string) error {
	if _, err := exec.LookPath("git"); err != nil {
		return errors.New("diff needs git, which is not installed here")
	}
	if _, err := git(ctx, dir, nil, "rev-parse", "--git-dir"); err != nil {
		return fmt.Errorf("looking for the git repository of %s: %w", dir, err)
	}
	id, err := git(ctx, dir, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return misused(fmt.Sprintf("there is no revision %q in git", rev))
	}
	// Paths are relative to the folder, since git runs in it.
	tree, err := git(ctx, dir, nil, "ls-tree", "-r", "-z", strings.TrimSpace(string(id)))
	if err != nil {
		return fmt.Errorf("listing the flows of %s: %w", rev, err)
	}
	var names []string
	var blobs bytes.Buffer
	for entry := range strings.SplitSeq(string(tree), "\x00") {
		about, name, _ := strings.Cut(entry, "\t")
		if about := strings.Fields(about); len(about) == 3 && strings.HasPrefix(about[0], "100") && flowFile(name) {
			names = append(names, name)
			blobs.WriteString(about[2] + "\n")
		}
	}
	contents, err := git(ctx, dir, &blobs, "cat-file", "--batch")
	if err != nil {
		return fmt.Errorf("reading the flows of %s: %w", rev, err)
	}
	r := bufio.NewReader(bytes.NewReader(contents))
	for _, name := range names {
		if err := extractBlob(r, filepath.Join(into, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("reading %s of %s: %w", name, rev, err)
		}
	}
	return nil
}

// extractBlob writes the next blob that git cat-file printed into a file: a line
// of id, type and size, the content, and the end of a line.
func extractBlob(r *bufio.Reader, file string) error {
	head, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	size, err := strconv.Atoi(head[strings.LastIndexByte(head, ' ')+1 : len(head)-1])
	if err != nil {
		return fmt.Errorf("reading the answer of git: %w", err)
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(r, content); err != nil {
		return err
	}
	if _, err := r.Discard(1); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o600)
}

// git runs git in a folder and returns what it prints.
func git(ctx context.Context, dir string, stdin io.Reader, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Stdin = dir, stdin
	// What git sets for its hooks is about the folder that they run in.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}, name)
	})
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil && stderr.Len() > 0 {
		err = fmt.Errorf("git says %s: %w", strings.TrimPrefix(strings.TrimSpace(stderr.String()), "fatal: "), err)
	}
	return out, err
}
