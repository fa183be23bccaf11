package backends

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
)

const loopback = "127.0.0.1"

// freePort returns a port of the loopback address that nobody listens on. It
// is drawn from below the range from which the system numbers outgoing
// connections: from within it, a connection could take the port of a server
// that was killed and is about to come back.
func freePort() (int, error) {
	const low = 10000
	high := lowestOutgoingPort()
	for range 100 {
		port := low + rand.IntN(high-low)
		l, err := net.Listen("tcp", address(port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("found no free port between " + strconv.Itoa(low) + " and " + strconv.Itoa(high))
}

// lowestOutgoingPort is Linux's setting, or its default where it cannot be read.
func lowestOutgoingPort() int {
	const usual, least = 32768, 12000
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return usual
	}
	fields := bytes.Fields(text)
	if len(fields) == 0 {
		return usual
	}
	low, err := strconv.Atoi(string(fields[0]))
	if err != nil || low < least {
		return usual
	}
	return low
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
