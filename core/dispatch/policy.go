package dispatch

import "fmt"

// Policy chooses robots for requests. It is a function of the round alone; it
// may keep memory to work with, but nothing that changes an answer.
type Policy interface {
	// Name is what Settings.Policy calls it.
	Name() string
	// Plan pairs requests with robots, each at most once, in the order in which they are to
	// be committed. The result is the caller's.
	Plan(r *Round) []Pairing
}

// NewPolicy returns the policy of that name. It panics if there is none, which
// checked settings rule out.
func NewPolicy(name string) Policy {
	switch name {
	case "nearest":
		return &nearest{}
	case "rolling":
		return &rolling{}
	}
	panic(fmt.Sprintf("dispatch: policy %q: want nearest or rolling", name))
}
