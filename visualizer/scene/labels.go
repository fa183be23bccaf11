package scene

// beside writes a label at the right of something, or at its left where the inspector or the edge would cut it off.
func (s *Scene) beside(x, y, away float32, t Text, always bool) {
	edge := float32(s.view.Width) - s.view.InsetRight
	if s.shows(ShowInspector) && s.view.Selection.Kind != Nothing {
		edge -= InspectorWide
	}
	t.X, t.Y = x+away, y
	if x < edge*s.px && t.X+TextWidth(t.S, t.Size, t.Bold) > edge*s.px {
		t.X, t.Align = x-away, Right
	}
	s.label(t, always)
}

// label writes a label of something that moves or waits, unless another is in
// its place; what is selected is written in any case, and so should come first.
func (s *Scene) label(t Text, always bool) {
	w, h := TextWidth(t.S, t.Size, t.Bold), t.Size
	x := t.X
	switch t.Align {
	case Centre:
		x -= w / 2
	case Right:
		x -= w
	}
	box := Box{x - 2*s.px, t.Y - h/2 - s.px, x + w + 2*s.px, t.Y + h/2 + s.px}
	if !always {
		for _, b := range s.labels {
			if b.Overlaps(box) {
				return
			}
		}
	}
	const enough = 400 // more are not read, and would be slow to place
	if always || len(s.labels) < enough {
		s.labels = append(s.labels, box)
		s.pen(layerLabels).Text(t)
	}
}
