package transfer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"

	"sluice/nodes/record"
)

// format is the number of the form of backups that this release writes. A later
// one is refused.
const format = 1

// maxLine is the longest line of a backup, in bytes: a document of MongoDB has
// 16 MiB at most, and is longer as JSON.
const maxLine = 64 << 20

// A Head is the first line of a backup.
type Head struct {
	Format  int       `json:"sluiceBackup"`
	Version string    `json:"version"` // of the Sluice that wrote it
	Store   string    `json:"store"`   // it was made of, as "SQLite"
	Time    time.Time `json:"time"`    // what had expired then is not in it
}

// An end is the last line of a backup.
type end struct {
	End struct {
		Tally
		SHA256 string `json:"sha256"` // of all lines before it, in hex digits
	} `json:"end"`
}

// Write writes a backup of all that s holds, and returns what is in it. Of the
// head it takes Version and Store.
func Write(ctx context.Context, w io.Writer, s record.Store, h Head) (Tally, error) {
	h.Format, h.Time = format, time.UnixMilli(time.Now().UnixMilli()).UTC()
	packed, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return Tally{}, fmt.Errorf("writing backup: %w", err)
	}
	out := &lineWriter{w: bufio.NewWriterSize(packed, 64<<10), sum: sha256.New()}
	if err := out.json(h); err != nil {
		return Tally{}, err
	}
	c := newCounter()
	err = s.Export(ctx, h.Time, func(r record.Record) error {
		line, err := record.Encode(r)
		if err != nil {
			return err
		}
		if len(line) >= maxLine {
			return fmt.Errorf("a %s of %d bytes is too long for a backup", r.Kind(), len(line))
		}
		c.add(r.Kind(), line)
		return out.line(line)
	})
	if err != nil {
		return Tally{}, fmt.Errorf("backing up: %w", err)
	}
	var last end
	last.End.Tally, last.End.SHA256 = c.tally(), hex.EncodeToString(out.sum.Sum(nil))
	if err := out.json(last); err != nil {
		return Tally{}, err
	}
	if err := errors.Join(out.w.Flush(), packed.Close()); err != nil {
		return Tally{}, fmt.Errorf("writing backup: %w", err)
	}
	return last.End.Tally, nil
}

type lineWriter struct {
	w   *bufio.Writer
	sum hash.Hash
}

func (o *lineWriter) json(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("writing backup: %w", err)
	}
	return o.line(line)
}

func (o *lineWriter) line(line []byte) error {
	line = append(line, '\n')
	o.sum.Write(line) // never fails
	if _, err := o.w.Write(line); err != nil {
		return fmt.Errorf("writing backup: %w", err)
	}
	return nil
}

// A Backup is one that is read.
type Backup struct {
	Head
	lines *bufio.Reader
	sum   hash.Hash
	tally Tally // known once Records is through
}

// Read reads the head of a backup. The error says what is wrong with the file.
func Read(r io.Reader) (*Backup, error) {
	unpacked, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("this is no backup: %w", err)
	}
	b := &Backup{lines: bufio.NewReaderSize(unpacked, 64<<10), sum: sha256.New()}
	line, err := b.line()
	if err != nil {
		return nil, err
	}
	// A later release may have more in its head.
	if err := json.Unmarshal(line, &b.Head); err != nil || b.Format == 0 {
		return nil, errors.New("this is no backup: its first line is not that of one")
	}
	if b.Format > format {
		return nil, fmt.Errorf("the backup has form %d, by Sluice %.40q, and this release reads up to %d: restore it with a later release", b.Format, b.Version, format)
	}
	b.sum.Write(append(line, '\n'))
	return b, nil
}

// line reads a line, which ends with a line feed.
func (b *Backup) line() ([]byte, error) {
	var line []byte
	for {
		part, err := b.lines.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxLine {
			return nil, fmt.Errorf("the backup is damaged: it has a line of more than %d bytes", maxLine)
		}
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, errors.New("the backup is cut off: its end is missing")
		default:
			return nil, fmt.Errorf("the backup is damaged: %w", err)
		}
	}
}

// Records yields the records. It ends with an error unless all is as it was
// written, so nothing of it counts before it is through. It is for one use.
func (b *Backup) Records() iter.Seq2[record.Record, error] {
	return func(yield func(record.Record, error) bool) {
		c := newCounter()
		for {
			line, err := b.line()
			if err == nil && bytes.HasPrefix(line, []byte(`{"end":`)) {
				if err = b.finish(line, c); err == nil {
					return
				}
			}
			var r record.Record
			if err == nil {
				r, err = record.Decode(line)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			c.add(r.Kind(), line)
			b.sum.Write(append(line, '\n'))
			if !yield(r, nil) {
				return
			}
		}
	}
}

// finish compares what was read with what the last line says of it.
func (b *Backup) finish(line []byte, c *counter) error {
	var last end
	if err := json.Unmarshal(line, &last); err != nil {
		return fmt.Errorf("the backup is damaged: reading its end: %w", err)
	}
	b.tally = c.tally()
	if last.End.SHA256 != hex.EncodeToString(b.sum.Sum(nil)) || !last.End.Same(b.tally) {
		return errors.New("the backup is damaged: its content is not what was written")
	}
	switch _, err := b.lines.ReadByte(); { // reads the checksum of gzip, too
	case err == nil:
		return errors.New("the backup is damaged: something stands behind its end")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the backup is cut off: its last bytes are missing")
	case err != io.EOF:
		return fmt.Errorf("the backup is damaged: %w", err)
	}
	return nil
}

// Verify reads a backup to its end and returns what is in it.
func Verify(r io.Reader) (Head, Tally, error) {
	b, err := Read(r)
	if err != nil {
		return Head{}, Tally{}, err
	}
	for _, err := range b.Records() {
		if err != nil {
			return b.Head, Tally{}, err
		}
	}
	return b.Head, b.tally, nil
}

// Restore fills a store from a backup, which it reads twice: it verifies all of
// it before it calls open, which is told what is in it and returns the store. It
// returns what the store holds then.
func Restore(ctx context.Context, file io.ReadSeeker, open func(Tally) (record.Store, error), o Options) (Head, Tally, error) {
	head, want, err := Verify(file)
	if err != nil {
		return head, Tally{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return head, Tally{}, fmt.Errorf("reading the backup again: %w", err)
	}
	b, err := Read(file)
	if err != nil {
		return head, Tally{}, err
	}
	to, err := open(want)
	if err != nil {
		return head, Tally{}, err
	}
	got, err := fill(ctx, to, b.Records(), head.Time, o)
	if err == nil && !got.Same(want) {
		err = fmt.Errorf("%w: the backup has %v", ErrDiffers, want)
	}
	return head, got, err
}
