package grpcapi

import (
	"context"
	"strings"
	"time"

	"footway/core/fault"
	"footway/core/fleet"
)

// Role is what somebody is who calls.
type Role string

// The roles.
const (
	RoleService Role = "service" // one of ours, by its name
	RoleRobot   Role = "robot"   // a robot, by its id
	RoleAccount Role = "account" // a robot provider's account, for all of its robots
)

// AnyService is the name of a service that may be any of ours, for development.
const AnyService = "*"

// Identity is who calls.
type Identity struct {
	Role    Role
	Name    string
	Account fleet.AccountID // that vouches for a robot; empty where the robot's own certificate does
	Expires time.Time       // of the credential; zero: not before the connection
}

// String returns the identity as certificates name it, such as "service/dispatch".
func (i Identity) String() string { return string(i.Role) + "/" + i.Name }

// ParseIdentity reads "service/NAME", "robot/ID" or "account/ID".
func ParseIdentity(text string) (Identity, error) {
	role, name, _ := strings.Cut(text, "/")
	switch r := Role(role); r {
	case RoleService, RoleRobot, RoleAccount:
		if name != "" && !strings.ContainsAny(name, "/ ") {
			return Identity{Role: r, Name: name}, nil
		}
	}
	return Identity{}, fault.New("grpcapi.ParseIdentity", fault.Invalid, "bad_identity", "identity %q: want service/NAME, robot/ID or account/ID", clip(text, 64))
}

type identityKey struct{}

func withIdentity(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// IdentityOf returns who made the call that ctx is of.
func IdentityOf(ctx context.Context) (Identity, bool) {
	i, ok := ctx.Value(identityKey{}).(Identity)
	return i, ok
}
