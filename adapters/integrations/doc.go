// Package integrations is the door that partners knock at: it finds out who
// they are, bounds what they may ask for, and passes their requests on to whoever
// speaks their language. It also lets them read what happened to their deliveries. It
// does not know what their requests mean.
package integrations
