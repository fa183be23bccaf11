// Package allow makes exceptions, good and bad.
package allow

func sum(m map[string]int) (n int) {
	//detlint:allow the sum of integers is the same in any order
	for _, v := range m {
		n += v
	}
	return n
}

func noReason(m map[string]int) (n int) {
	/* want `needs a reason` */ //detlint:allow
	for _, v := range m {       // want `range over a map`
		n += v
	}
	return n
}

func tooFar(m map[string]int) (n int) {
	/* want `allows nothing` */ //detlint:allow the comment is not on the line above

	for _, v := range m { // want `range over a map`
		n += v
	}
	return n
}
