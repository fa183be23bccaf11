// Command pack compresses the visualizer's program for package web: FILE to
// FILE.gz and FILE.br, as small as they get.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"

	"github.com/andybalholm/brotli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: pack FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(name string, stdout io.Writer) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %.1f MB", name, float64(len(raw))/1e6)
	for _, form := range []struct {
		ending string
		writer func(io.Writer) (io.WriteCloser, error)
	}{
		{".gz", func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestCompression) }},
		{".br", func(w io.Writer) (io.WriteCloser, error) {
			const window = 24 // the largest: 16 MB
			return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: 9, LGWin: window}), nil
		}},
	} {
		var b bytes.Buffer
		w, err := form.writer(&b)
		if err != nil {
			return err
		}
		if _, err := w.Write(raw); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := put(name+form.ending, b.Bytes()); err != nil {
			return err
		}
		fmt.Fprintf(stdout, ", %s %.1f MB", form.ending, float64(b.Len())/1e6)
	}
	fmt.Fprintln(stdout)
	return nil
}

// put writes a file which, whenever somebody looks, is whole or not there.
func put(name string, b []byte) error {
	if err := os.WriteFile(name+".part", b, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}
