//go:build !js

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// host does what the desk asks of the system.
type host struct{ stderr io.Writer }

// clipboards are programs that put what they read on the clipboard.
var clipboards = [][]string{{"wl-copy"}, {"xclip", "-selection", "clipboard"}, {"xsel", "-ib"}, {"pbcopy"}, {"clip.exe"}}

// Copy implements window.Host. The text goes to the terminal too.
func (h host) Copy(text string) error {
	fmt.Fprintln(h.stderr, text)
	for _, c := range clipboards {
		path, err := exec.LookPath(c[0])
		if err != nil {
			continue
		}
		cmd := exec.Command(path, c[1:]...)
		cmd.Stdin = strings.NewReader(text)
		if cmd.Run() == nil {
			return nil
		}
	}
	return errors.New("no clipboard program was found (wl-copy, xclip, xsel): the text is in the terminal")
}

// Save implements window.Host. A file that is there is not written over.
func (h host) Save(name string, data []byte) error {
	base, ending := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		base, ending = name[:i], name[i:]
	}
	const most = 1000
	for n := 1; n < most; n++ {
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, os.ErrExist) {
			name = fmt.Sprintf("%s-%d%s", base, n+1, ending)
			continue
		}
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		if err = errors.Join(err, f.Close()); err == nil {
			fmt.Fprintln(h.stderr, "saved", name)
		}
		return err
	}
	return fmt.Errorf("there are %d files %s-…%s already", most, base, ending)
}
