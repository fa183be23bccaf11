package desk

// Wrap breaks a text into lines no wider than w points, at spaces.
func Wrap(text string, size, w float32) []string { return wrap(text, size, w) }
