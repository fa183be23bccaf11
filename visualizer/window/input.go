package window

import (
	"time"
	"unicode"

	"github.com/hajimehoshi/ebiten/v2"
	"github.com/hajimehoshi/ebiten/v2/inpututil"

	"footway/visualizer/desk"
)

// named are the keys that write nothing.
var named = []struct {
	key    ebiten.Key
	name   desk.Key
	repeat bool
}{
	{ebiten.KeySpace, desk.Space, false},
	{ebiten.KeyArrowLeft, desk.Left, true}, {ebiten.KeyArrowRight, desk.Right, true},
	{ebiten.KeyArrowUp, desk.Up, true}, {ebiten.KeyArrowDown, desk.Down, true},
	{ebiten.KeyHome, desk.Home, false}, {ebiten.KeyEnd, desk.End, false},
	{ebiten.KeyEnter, desk.Enter, false}, {ebiten.KeyNumpadEnter, desk.Enter, false},
	{ebiten.KeyEscape, desk.Escape, false}, {ebiten.KeyBackspace, desk.Delete, true},
}

// devices reads keyboard, pointer and fingers.
type devices struct {
	in      desk.Input
	last    time.Time
	typed   []rune
	touches []ebiten.TouchID
	finger  bool    // was the pointer last, and not the mouse
	x, y    float32 // where it was last
	mouse   [2]int  // where the mouse was then
}

// read returns what was done since the last call. It may be kept until the next one.
func (d *devices) read(width, height, scale float64) desk.Input {
	now := time.Now()
	elapsed := now.Sub(d.last)
	if d.last.IsZero() {
		elapsed = 0
	}
	d.last = now
	in := &d.in
	in.Width, in.Height, in.Scale, in.Elapsed = int(width/scale), int(height/scale), scale, elapsed
	x, y := ebiten.CursorPosition()
	in.X, in.Y = float32(float64(x)/scale), float32(float64(y)/scale)
	// What was pressed and let go between two frames was pressed all the same.
	in.Held = ebiten.IsMouseButtonPressed(ebiten.MouseButtonLeft) || inpututil.IsMouseButtonJustPressed(ebiten.MouseButtonLeft)
	in.WheelX, in.WheelY = ebiten.Wheel()
	in.Shift = ebiten.IsKeyPressed(ebiten.KeyShift)
	d.keys()
	d.fingers(scale)
	return *in
}

func (d *devices) keys() {
	in := &d.in
	in.Keys, in.Text = in.Keys[:0], ""
	const wait, every = 24, 4 // ticks, before a key that is held is pressed again
	for i := range named {
		k := &named[i]
		held := inpututil.KeyPressDuration(k.key)
		if inpututil.IsKeyJustPressed(k.key) || k.repeat && held > wait && held%every == 0 {
			in.Keys = append(in.Keys, k.name)
		}
	}
	if ebiten.IsKeyPressed(ebiten.KeyControl) || ebiten.IsKeyPressed(ebiten.KeyMeta) || ebiten.IsKeyPressed(ebiten.KeyAlt) {
		return // the browser's
	}
	if d.typed = ebiten.AppendInputChars(d.typed[:0]); len(d.typed) == 0 {
		return
	}
	in.Text = string(d.typed)
	for _, r := range d.typed {
		if r != ' ' {
			in.Keys = append(in.Keys, desk.Key(string(unicode.ToUpper(r))))
		}
	}
}

// fingers makes the first finger the pointer. Once it is lifted the pointer stays there, until the mouse moves: what was
// tapped is let go where it was pressed.
func (d *devices) fingers(scale float64) {
	in := &d.in
	in.Touches = in.Touches[:0]
	d.touches = ebiten.AppendTouchIDs(d.touches[:0])
	for _, id := range d.touches {
		x, y := ebiten.TouchPosition(id)
		in.Touches = append(in.Touches, desk.Touch{ID: int(id), X: float32(float64(x) / scale), Y: float32(float64(y) / scale)})
	}
	x, y := ebiten.CursorPosition()
	switch mouse := [2]int{x, y}; {
	case len(in.Touches) > 0:
		in.X, in.Y, in.Held = in.Touches[0].X, in.Touches[0].Y, true
		d.finger, d.x, d.y, d.mouse = true, in.X, in.Y, mouse
	case d.finger && mouse == d.mouse:
		in.X, in.Y = d.x, d.y
	default:
		d.finger = false
	}
}
