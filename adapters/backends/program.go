package backends

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// The versions that the tests know. Debian's packages decide which PostgreSQL
// and RabbitMQ really run; deploy/compose.yaml names the same.
const (
	PostgresVersion  = "15"
	PostGISVersion   = "3.3"
	RabbitMQVersion  = "3.10"
	DynaliteVersion  = "4.0.0"
	ToxiproxyVersion = "2.12.0"
)

// MissingError says that the machine does not have a program, and how to get it.
type MissingError struct {
	Name string // what people call it
	Want string // where it was looked for
	How  string // to get it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is not on this machine (looked for %s): %s", e.Name, e.Want, e.How)
}

const install = "`make backends-install` installs it where it can"

// executable reports whether path is a program.
func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// postgresBin returns the folder of the newest PostgreSQL.
func postgresBin() (string, error) {
	const pattern = "/usr/lib/postgresql/*/bin"
	folders, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	major := func(dir string) int {
		n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		if err != nil {
			return 0 // not one of the packages'
		}
		return n
	}
	slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(major(b), major(a)) })
	for _, dir := range folders {
		if executable(filepath.Join(dir, "initdb")) && executable(filepath.Join(dir, "postgres")) {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", &MissingError{Postgres.Name(), pattern + "/initdb, and initdb in PATH", install + " (Debian: postgresql-15-postgis-3)"}
}

// rabbitBin returns the folder of RabbitMQ's own scripts; those that Debian
// puts into PATH insist on its one node.
func rabbitBin() (string, error) {
	const dir = "/usr/lib/rabbitmq/bin"
	if executable(filepath.Join(dir, "rabbitmq-server")) {
		return dir, nil
	}
	return "", &MissingError{RabbitMQ.Name(), dir + "/rabbitmq-server", install + " (Debian: rabbitmq-server)"}
}

// epmdPath returns Erlang's port mapper.
func epmdPath() (string, error) {
	path, err := exec.LookPath("epmd")
	if err != nil {
		return "", &MissingError{"Erlang", "epmd in PATH", install + " (Debian: erlang-base)"}
	}
	return path, nil
}

// nodePath returns Node.js.
func nodePath() (string, error) {
	path, err := exec.LookPath("node")
	if err != nil {
		return "", &MissingError{"Node.js", "node in PATH", install + " (Debian: nodejs)"}
	}
	return path, nil
}

// dynaliteModules returns the folder node_modules that dynalite was installed into.
func dynaliteModules() (string, error) {
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "npm", "node_modules")
	if _, err := os.Stat(filepath.Join(dir, "dynalite", "cli.js")); err != nil {
		return "", &MissingError{DynamoDB.Name(), dir + "/dynalite/cli.js", install + " (npm: dynalite@" + DynaliteVersion + ")"}
	}
	return dir, nil
}

// toxiproxyPath returns the program of the proxy.
func toxiproxyPath() (string, error) {
	const variable = "FOOTWAY_TOXIPROXY"
	if path := os.Getenv(variable); path != "" {
		return path, nil
	}
	cache, err := cacheFolder()
	if err != nil {
		return "", err
	}
	pinned := filepath.Join(cache, "bin", "toxiproxy-server-v"+ToxiproxyVersion)
	if executable(pinned) {
		return pinned, nil
	}
	path, err := exec.LookPath("toxiproxy-server")
	if err != nil {
		return "", &MissingError{"toxiproxy", pinned + ", " + variable + ", and toxiproxy-server in PATH", install}
	}
	return path, nil
}

// cacheFolder returns .cache of the repository that the working directory is
// in: `go test` runs a package's tests in the package's folder.
func cacheFolder() (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return filepath.Join(dir, ".cache"), nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		if dir == filepath.Dir(dir) {
			return filepath.Join(here, ".cache"), nil
		}
	}
}
