package scene

import (
	"image/color"
	"math"
	"strconv"
	"time"

	"footway/core/clock"
	"footway/core/kpi"
)

const (
	margin  = 14 // points from the edge of the screen
	rowHigh = 17 // points of a row of a card
	cardPad = 12

	legendWide = 168
)

// activityNames are what robots do, in words.
var activityNames = [kpi.Activities]string{
	kpi.Idle: "idle", kpi.Charging: "charging", kpi.Moving: "repositioning", kpi.Deadhead: "to a pickup", kpi.AtStop: "at a stop",
	kpi.Carrying: "carrying", kpi.Down: "stuck or down",
}

// legendOrder begins with what earns money.
var legendOrder = [...]kpi.Activity{kpi.Carrying, kpi.AtStop, kpi.Deadhead, kpi.Moving, kpi.Charging, kpi.Idle, kpi.Down}

// drawHUD draws what stays where it is on the screen.
func (s *Scene) drawHUD() {
	if s.shows(ShowClock) && s.in.State != nil {
		s.clock()
	}
	if s.shows(ShowLegend) && s.in.State != nil {
		s.legend()
	}
	if s.shows(ShowScale) {
		s.scale()
	}
	s.attribution()
}

// card draws what texts stand on, in points from the upper left corner.
func (s *Scene) card(layer int, x, y, w, h float32) Pen {
	p, k := s.pen(layer), s.px
	p.Shadow(x*k, y*k, w*k, h*k, 10*k, 10*k, s.palette.Shadow)
	p.Box((x-1)*k, (y-1)*k, (w+2)*k, (h+2)*k, 11*k, s.palette.PanelEdge)
	p.Box(x*k, y*k, w*k, h*k, 10*k, s.palette.Panel)
	return p
}

// words writes a text at a place in points.
func (s *Scene) words(layer int, x, y, size float32, c color.RGBA, isBold bool, align Align, text string) {
	k := s.px
	s.pen(layer).Text(Text{X: x * k, Y: y * k, Size: size * k, S: text, Bold: isBold, Align: align, Color: c})
}

// Local returns the time of day at t, as people there say it.
func (in *Input) Local(t clock.Time) time.Time {
	if in.Zone == nil {
		return t.Std().UTC()
	}
	return t.Std().In(in.Zone)
}

func (s *Scene) clock() {
	at := s.in.Local(s.in.State.T)
	big, small := at.Format("15:04:05"), at.Format("Mon 2 Jan")
	if s.in.Title != "" {
		small = s.in.Title + "  ·  " + small
	}
	room := float32(s.view.Width) - s.view.InsetRight - 2*(margin+cardPad)
	if s.shows(ShowInspector) && s.view.Selection.Kind != Nothing {
		room -= InspectorWide
	}
	small = Clip(small, 11, max(room, 100), false)
	w := max(TextWidth("00:00:00", 25, true), TextWidth(small, 11, false)) + 2*cardPad
	s.card(layerHUD, margin, margin, w, 56)
	s.words(layerHUD, margin+cardPad, margin+21, 25, s.palette.Ink, true, Left, big)
	s.words(layerHUD, margin+cardPad, margin+43, 11, s.palette.InkSoft, false, Left, small)
}

func (s *Scene) legend() {
	var count [kpi.Activities]int
	for i := range s.in.State.Robots {
		if r := &s.in.State.Robots[i]; r.Known {
			count[r.Activity]++
		}
	}
	rows := float32(len(legendOrder) + 5)
	differs := s.shows(ShowDifference) && s.in.Other != nil
	if differs {
		rows += 4
	}
	high := rows*rowHigh + 2*cardPad - 4
	y := float32(s.view.Height) - s.view.InsetBottom - margin - high
	if y < 90 {
		return // there is no room for it
	}
	p, k := s.card(layerHUD, margin, y, legendWide, high), s.px
	x := float32(margin + cardPad)
	y += cardPad + rowHigh/2 - 2
	s.words(layerHUD, x, y, 10.5, s.palette.InkFaint, true, Left, "ROBOTS")
	for _, a := range legendOrder {
		y += rowHigh
		p.disc8((x+5)*k, y*k, 5*k, s.palette.Activity[a])
		s.words(layerHUD, x+18, y, 11.5, s.palette.Ink, false, Left, activityNames[a])
		s.words(layerHUD, margin+legendWide-cardPad, y, 11.5, s.palette.InkSoft, false, Right, strconv.Itoa(count[a]))
	}
	y += rowHigh + 3
	s.words(layerHUD, x, y, 10.5, s.palette.InkFaint, true, Left, "DELIVERIES")
	var promise [3]int
	for i := range s.in.State.Deliveries {
		switch left := s.in.State.Deliveries[i].Left(s.in.State.T); {
		case left < 0:
			promise[2]++
		case left < soon:
			promise[1]++
		default:
			promise[0]++
		}
	}
	for i, c := range [...]color.RGBA{s.palette.Good, s.palette.Soon, s.palette.Late} {
		y += rowHigh
		p.pin((x+5)*k, (y+6)*k, 4.6*k, (y-2)*k, c)
		p.disc8((x+5)*k, (y-2)*k, 2*k, s.palette.Panel)
		s.words(layerHUD, x+18, y, 11.5, s.palette.Ink, false, Left, [...]string{"in time", "due within 5 min", "late"}[i])
		s.words(layerHUD, margin+legendWide-cardPad, y, 11.5, s.palette.InkSoft, false, Right, strconv.Itoa(promise[i]))
	}
	if differs {
		s.differenceLegend(p, x, y+rowHigh+3)
	}
}

// differenceLegend says what the rings of another run mean.
func (s *Scene) differenceLegend(p Pen, x, y float32) {
	than := "IN THE OTHER RUN"
	if s.in.Than != "" {
		than = Clip("IN "+s.in.Than, 10.5, legendWide-2*cardPad, true)
	}
	s.words(layerHUD, x, y, 10.5, s.palette.InkFaint, true, Left, than)
	for i, c := range [...]color.RGBA{s.palette.Accent, s.palette.Good, s.palette.Late} {
		y += rowHigh
		p.Ring((x+5)*s.px, y*s.px, [...]float32{3, 4.6, 4.6}[i]*s.px, [...]float32{1.4, 2, 2}[i]*s.px, c)
		s.words(layerHUD, x+18, y, 11.5, s.palette.Ink, false, Left, [...]string{"the robot is there", "order is further", "order is behind"}[i])
	}
}

// scale draws a bar of a round length.
func (s *Scene) scale() {
	const longest = 120 // points
	metres := longest / s.view.Zoom
	round := math.Pow(10, math.Floor(math.Log10(metres)))
	for _, f := range [...]float64{5, 2} {
		if round*f <= metres {
			round *= f
			break
		}
	}
	w := float32(round * s.view.Zoom)
	right := float32(s.view.Width) - s.view.InsetRight - margin
	y := float32(s.view.Height) - s.view.InsetBottom - margin - 18
	p, k := s.pen(layerHUD), s.px
	p.Rect((right-w-1)*k, (y-6)*k, (w+2)*k, 8*k, Fade(s.palette.NameHalo, 0.7))
	p.Rect((right-w)*k, y*k, w*k, 1.6*k, s.palette.InkSoft)
	p.Rect((right-w)*k, (y-4.5)*k, 1.6*k, 6*k, s.palette.InkSoft)
	p.Rect((right-1.6)*k, (y-4.5)*k, 1.6*k, 6*k, s.palette.InkSoft)
	text := strconv.FormatFloat(round, 'f', -1, 64) + " m"
	if round >= 1000 {
		text = strconv.FormatFloat(round/1000, 'f', -1, 64) + " km"
	}
	s.pen(layerHUD).Text(Text{X: (right - w/2) * k, Y: (y - 10) * k, Size: 10.5 * k, S: text, Align: Centre, Color: s.palette.InkSoft, Halo: s.palette.NameHalo})
}

func (s *Scene) attribution() {
	text := s.net.Attribution
	if text == "" {
		return
	}
	right := float32(s.view.Width) - s.view.InsetRight - margin
	s.pen(layerHUD).Text(Text{
		X: right * s.px, Y: (float32(s.view.Height) - s.view.InsetBottom - margin - 2) * s.px, Size: 9.5 * s.px, S: text, Align: Right, Color: s.palette.InkSoft, Halo: s.palette.NameHalo,
	})
}
