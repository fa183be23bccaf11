// Package window shows a desk in a window or in a browser's page. It paints what
// the desk says and hands it what hands do; it decides nothing.
package window

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"time"

	"github.com/hajimehoshi/ebiten/v2"

	"footway/visualizer/desk"
	"footway/visualizer/scene"
)

// Opening is what goes on until there is a desk.
type Opening interface {
	// Step goes on for about as long as it may. It returns the desk when there is one, and until then
	// what it does and how much of it is done, from 0 to 1.
	Step(budget time.Duration) (d *desk.Desk, doing string, part float64, err error)
}

// Host is what the window's surroundings do.
type Host interface {
	// Copy puts text on the clipboard.
	Copy(text string) error
	// Save keeps a file for the person.
	Save(name string, data []byte) error
}

// Options say what a window shows.
type Options struct {
	Title   string
	Width   int // points at first; 0: 1440
	Height  int // 0: 900
	Theme   scene.Theme
	Opening Opening
	Host    Host
	Before  func(*desk.Desk) (Opening, error) // called before each tick of a desk; an Opening takes its place; nil: nothing
	Dropped func(fs.FS) Opening               // opens files that were dropped on the window; nil: they are left alone
	Input   func(desk.Input) desk.Input       // changes what hands did, for tests; nil: nothing
	Seen    func(d *desk.Desk, s Seen) error  // called after each tick; nil: nobody looks. Its error ends the window
}

// Seen is how painting went.
type Seen struct {
	Draws  int           // of the last picture
	Took   time.Duration // processor time of it, but for what Ebitengine does of it later
	Made   time.Duration // of the desk, to make the picture: its shapes and what hands did
	Frames int           // pictures painted so far
	Ticks  int           // looks at what hands did so far
	Still  bool          // nothing is left to be painted
	Screen func() *image.RGBA
}

// ErrNoDisplay says that there is nowhere to open a window.
var ErrNoDisplay = errors.New("there is no display to open a window on: set DISPLAY, or paint a picture with footway view --headless")

// Run shows the window until it is closed.
func Run(o Options) error {
	ebiten.SetWindowTitle(o.Title)
	if o.Width == 0 {
		o.Width, o.Height = 1440, 900
	}
	ebiten.SetWindowSize(o.Width, o.Height)
	ebiten.SetWindowResizingMode(ebiten.WindowResizingModeEnabled)
	ebiten.SetScreenClearedEveryFrame(false)
	ebiten.SetTPS(ebiten.SyncWithFPS)
	g := &game{o: o, painter: newPainter(), scale: 1}
	err := ebiten.RunGameWithOptions(g, &ebiten.RunGameOptions{X11ClassName: "footway", X11InstanceName: "footway"})
	if err != nil && g.ticks == 0 {
		return fmt.Errorf("%w (%w)", ErrNoDisplay, err)
	}
	return err
}

// game is the window as Ebitengine sees it.
type game struct {
	o       Options
	desk    *desk.Desk
	dropped Opening // of files, which takes the place of the desk once it is there; nil: none
	picture *desk.Picture
	painter *painter
	devices devices
	wait    waiting
	failed  error

	width, height float64 // of the screen in pixels
	scale         float64
	ticks         int
	took          time.Duration // that smooth pictures do
	smooth        bool          // the last picture was
	coarse        bool          // they take long: edges are not smoothed while things move
	paint         bool          // the picture is not on the screen yet
	pictures      []desk.Request
	seen          Seen
	pointer       desk.Pointer
	screen        *ebiten.Image
}

// LayoutF implements ebiten.LayoutFer: a pixel of the screen is one of the device.
func (g *game) LayoutF(width, height float64) (w, h float64) {
	g.scale = max(ebiten.Monitor().DeviceScaleFactor(), 0.5)
	g.width, g.height = width*g.scale, height*g.scale
	return g.width, g.height
}

// Layout implements ebiten.Game; Ebitengine calls LayoutF instead.
func (g *game) Layout(width, height int) (w, h int) { return width, height }

// slow is what a smooth picture may take; where it takes longer, edges are left as they are while things move.
const slow = 70 * time.Millisecond

// pace notes that there is something to be painted, and how well there is time to.
func (g *game) pace(in *desk.Input) {
	if g.smooth { // the last picture was: this is what it took, display and all
		g.took, g.smooth = (g.took+in.Elapsed)/2, false
	}
	switch {
	case g.picture.Fresh:
		g.paint, g.coarse = true, g.took > slow
	case g.coarse:
		g.paint, g.coarse = true, false
	}
}

// Opening may take so much of a frame: there is nothing else to be done.
const openingStep = 60 * time.Millisecond

// Update implements ebiten.Game.
func (g *game) Update() error {
	g.ticks++
	in := g.devices.read(g.width, g.height, g.scale)
	if g.o.Input != nil {
		in = g.o.Input(in)
	}
	if g.o.Before != nil && g.desk != nil {
		anew, err := g.o.Before(g.desk)
		if err != nil {
			return err
		}
		if anew != nil {
			g.o.Opening, g.desk = anew, nil
		}
	}
	g.drop()
	if g.desk == nil {
		g.open(&in)
	} else {
		began := time.Now()
		g.picture = g.desk.Update(in)
		g.seen.Made = time.Since(began)
		g.requests()
	}
	if g.picture != nil {
		g.pace(&in)
	}
	g.point()
	if g.o.Seen != nil {
		g.seen.Still, g.seen.Ticks = !g.paint, g.ticks
		return g.o.Seen(g.desk, g.seen)
	}
	return nil
}

// drop opens files that were dropped. What is on the desk stays there until they are open, and if they cannot be.
func (g *game) drop() {
	if files := ebiten.DroppedFiles(); files != nil && g.o.Dropped != nil {
		g.dropped = g.o.Dropped(files)
	}
	if g.dropped == nil {
		return
	}
	d, doing, _, err := g.dropped.Step(openingStep)
	switch {
	case err != nil && g.desk == nil:
		g.failed = err
	case err != nil:
		g.desk.Say(err.Error())
	case d != nil:
		g.desk, g.failed, g.o.Before = d, nil, nil
	default:
		if g.desk != nil {
			g.desk.Say(doing)
		}
		return
	}
	g.dropped = nil
}

// open goes on with the opening, and says so on the screen.
func (g *game) open(in *desk.Input) {
	doing, part := "", 0.0
	if g.failed == nil {
		var d *desk.Desk
		d, doing, part, g.failed = g.o.Opening.Step(openingStep)
		if d != nil && g.failed == nil {
			g.desk = d
			g.picture = d.Update(*in)
			return
		}
	}
	if g.failed != nil {
		doing = g.failed.Error()
	}
	g.picture = g.wait.picture(in, g.o.Theme, g.o.Title, doing, part, g.failed != nil)
}

// Draw implements ebiten.Game. What has not changed stays on the screen.
func (g *game) Draw(screen *ebiten.Image) {
	if !g.paint || g.picture == nil {
		return
	}
	began := time.Now()
	g.painter.paint(screen, g.picture, g.scale, g.coarse)
	g.seen.Took, g.seen.Draws = time.Since(began), g.painter.draws
	g.seen.Frames++
	g.smooth = !g.coarse
	g.paint = g.painter.rough || g.coarse // which is made good once nothing moves
	if g.screen = screen; g.seen.Screen == nil {
		g.seen.Screen = func() *image.RGBA { return pixels(g.screen) }
	}
	if !g.paint {
		g.savePictures(screen)
	}
}

// requests hands on what the desk wants done.
func (g *game) requests() {
	for _, r := range g.desk.Requests() {
		var err error
		switch {
		case g.o.Host == nil:
		case r.Copy != "":
			err = g.o.Host.Copy(r.Copy)
		case r.Data != nil:
			err = g.o.Host.Save(r.Save, r.Data)
		default:
			g.pictures, g.paint = append(g.pictures, r), true
		}
		if err != nil {
			g.desk.Say(err.Error())
		}
	}
}

// savePictures saves the screen where that was asked for.
func (g *game) savePictures(screen *ebiten.Image) {
	for _, r := range g.pictures {
		var b bytes.Buffer
		err := png.Encode(&b, pixels(screen))
		if err == nil {
			err = g.o.Host.Save(r.Save, b.Bytes())
		}
		if err != nil {
			g.desk.Say(err.Error())
		}
	}
	g.pictures = g.pictures[:0]
}

func pixels(screen *ebiten.Image) *image.RGBA {
	img := image.NewRGBA(imageRect(screen.Bounds().Dx(), screen.Bounds().Dy()))
	screen.ReadPixels(img.Pix)
	return img
}

// point makes the pointer look as the desk wants it.
func (g *game) point() {
	if g.picture == nil || g.picture.Pointer == g.pointer {
		return
	}
	g.pointer = g.picture.Pointer
	ebiten.SetCursorShape([...]ebiten.CursorShapeType{
		desk.Arrow: ebiten.CursorShapeDefault, desk.Hand: ebiten.CursorShapePointer, desk.Grab: ebiten.CursorShapeMove,
	}[g.pointer])
}
