package desk

import "time"

// Key is a key that was pressed, by its name: a letter or digit, or one of those below.
type Key string

// Keys with names.
const (
	Space  Key = "Space"
	Left   Key = "Left"
	Right  Key = "Right"
	Up     Key = "Up"
	Down   Key = "Down"
	Home   Key = "Home"
	End    Key = "End"
	Enter  Key = "Enter"
	Escape Key = "Escape"
	Delete Key = "Backspace"
	Plus   Key = "+"
	Minus  Key = "-"
)

// Touch is a finger on the screen, in points.
type Touch struct {
	ID   int
	X, Y float32
}

// Input is what a person did since the last one.
type Input struct {
	Width, Height int           // of the screen in points
	Scale         float64       // pixels of the device to the point
	Elapsed       time.Duration // since the last input
	X, Y          float32       // of the pointer, in points
	Held          bool          // the pointer's button
	WheelX        float64       // to the right
	WheelY        float64       // up: towards the map
	Shift         bool
	Keys          []Key   // pressed just now
	Text          string  // typed just now
	Touches       []Touch // on the screen; the first is the pointer too
}

// quiet reports whether nobody did anything beside moving on in time.
func (in *Input) quiet(last *Input) bool {
	return in.Width == last.Width && in.Height == last.Height && in.Scale == last.Scale && in.X == last.X && in.Y == last.Y &&
		!in.Held && !last.Held && in.WheelX == 0 && in.WheelY == 0 && len(in.Keys) == 0 && in.Text == "" && len(in.Touches) == 0 && len(last.Touches) == 0
}
