package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"footway/adapters/backends"
)

// set is the servers of one run of the program.
type set struct {
	dir    string
	keep   bool
	stderr io.Writer

	addresses map[backends.Kind]string
	servers   []*backends.Server
	docker    *compose        // nil: not used
	lacking   []backends.Kind // that cannot be had
}

// start starts what the environment does not name, all at once. A server that
// is there and does not start is an error; one that is not there is lacking.
func (s *set) start(ctx context.Context) error {
	kinds := backends.Kinds()
	servers := make([]*backends.Server, len(kinds))
	errs := make([]error, len(kinds))
	var all sync.WaitGroup
	for i, k := range kinds {
		if _, ok := s.addresses[k]; ok {
			fmt.Fprintf(s.stderr, "backends: %s is the one that %s names\n", k.Name(), k)
			continue
		}
		all.Go(func() {
			servers[i], errs[i] = backends.Start(ctx, k, backends.Options{Dir: s.folder(k)})
		})
	}
	all.Wait()

	missing := map[backends.Kind]error{}
	var failed []error
	for i, k := range kinds {
		lack := new(backends.MissingError)
		switch {
		case servers[i] != nil:
			s.servers = append(s.servers, servers[i])
			s.addresses[k] = servers[i].URL()
			fmt.Fprintf(s.stderr, "backends: started %s, log %s\n", k.Name(), servers[i].Log())
		case errors.As(errs[i], &lack):
			missing[k] = lack
		case errs[i] != nil:
			failed = append(failed, errs[i])
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	return s.fromDocker(ctx, missing)
}

// fromDocker gets the missing ones as containers, or says that they are lacking.
func (s *set) fromDocker(ctx context.Context, missing map[backends.Kind]error) error {
	if len(missing) == 0 {
		return nil
	}
	if engine(ctx) {
		var kinds []backends.Kind
		for _, k := range backends.Kinds() {
			if missing[k] != nil {
				kinds = append(kinds, k)
			}
		}
		return s.compose(ctx, kinds)
	}
	for _, k := range backends.Kinds() {
		if missing[k] != nil {
			fmt.Fprintf(s.stderr, "NOT RUN: %s (%v; or start a Docker engine; or set %s)\n", k.Name(), missing[k], k)
			s.lacking = append(s.lacking, k)
		}
	}
	return nil
}

func (s *set) folder(k backends.Kind) string {
	return filepath.Join(s.dir, strings.ToLower(k.Name()))
}

// stop stops every server, and removes its folder unless it is to be kept.
func (s *set) stop(ctx context.Context) error {
	errs := make([]error, len(s.servers))
	var all sync.WaitGroup
	for i, server := range s.servers {
		all.Go(func() {
			errs[i] = server.Stop(ctx)
			if !s.keep {
				errs[i] = errors.Join(errs[i], os.RemoveAll(filepath.Dir(server.Log())))
			}
		})
	}
	all.Wait()
	err := errors.Join(errs...)
	if s.docker != nil {
		err = errors.Join(err, s.docker.down(ctx, s.keep))
	}
	if s.keep {
		fmt.Fprintf(s.stderr, "backends: stopped; data and logs are in %s\n", s.dir)
	}
	return err
}
