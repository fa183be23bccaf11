package merchant

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"rsc.io/qr"
)

// label is what is on the label of an order: enough to find the bag and the robot, and no phone number.
type label struct {
	Number, Robot, Shop, From, Customer, To, Note string
	Items                                         []string
	Ready, Door                                   string
	Code                                          string // in the QR code
}

func (v *visit) label() (*label, error) {
	f, err := v.delivery(v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	d, now := &f.Delivery, v.now(f.Delivery.Market)
	l := &label{
		Number: number(d.ExternalID), Robot: d.Robot, Shop: f.People.PickupName, From: f.People.PickupAddress, To: f.People.Address, Note: f.People.PickupNote,
		Ready: clockTime(v.in(d.ReadyAt, d.Market), now), Door: between(v.in(d.Expected.DropoffP50, d.Market), v.in(d.Expected.DropoffP90, d.Market), now), Code: "footway:" + d.ID,
	}
	l.Customer = f.People.GivenName
	if initial := []rune(f.People.FamilyName); len(initial) > 0 {
		l.Customer = strings.TrimSpace(l.Customer + " " + string(initial[:1]) + ".")
	}
	for _, i := range f.People.Items {
		l.Items = append(l.Items, fmt.Sprintf("%d × %s", i.Quantity, i.Name))
	}
	return l, nil
}

// labelPDF prints a label of 4 by 6 inches.
func (v *visit) labelPDF() error {
	l, err := v.label()
	if err != nil {
		return err
	}
	body, err := l.pdf(v.o.Clock.Now().Std())
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/pdf")
	v.w.Header().Set("Content-Disposition", `inline; filename="label.pdf"`)
	_, _ = v.w.Write(body) // who went away needs no answer
	return nil
}

// labelZPL tells a label printer to print it, at 203 dots an inch.
func (v *visit) labelZPL() error {
	l, err := v.label()
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="label.zpl"`)
	_, _ = v.w.Write([]byte(l.zpl())) // who went away needs no answer
	return nil
}

// Measures of the label, in mm.
const (
	labelWidth, labelHeight = 101.6, 152.4
	margin                  = 6.0
)

func (l *label) pdf(at time.Time) ([]byte, error) {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: labelWidth, Ht: labelHeight}})
	doc.SetCreationDate(at)
	doc.SetModificationDate(at)
	doc.SetTitle("Order "+l.Number, true)
	doc.AddUTF8FontFromBytes("go", "", goregular.TTF)
	doc.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	doc.SetMargins(margin, margin, margin)
	doc.SetAutoPageBreak(false, 0)
	doc.AddPage()
	text := func(size float64, style, s string, height float64) {
		doc.SetFont("go", style, size)
		doc.MultiCell(0, height, s, "", "L", false)
	}
	size := 40.0 // the number is read from afar, if it is short enough
	for doc.SetFont("go", "B", size); doc.GetStringWidth(l.Number) > labelWidth-2*margin-38 && size > 14; size -= 2 {
		doc.SetFont("go", "B", size-2)
	}
	text(10, "", l.Shop, 5)
	doc.SetRightMargin(margin + 38)
	text(size, "B", l.Number, size*0.42)
	doc.SetRightMargin(margin)
	if err := l.draw(doc, labelWidth-margin-34, margin+5, 34); err != nil {
		return nil, err
	}
	doc.SetY(48)
	doc.Line(margin, 46, labelWidth-margin, 46)
	text(20, "B", l.Customer, 9)
	text(12, "", l.To, 6)
	doc.Ln(2)
	text(11, "", "Ready "+l.Ready+"   At the door "+strings.ReplaceAll(l.Door, "\u00a0", " "), 6)
	if l.Robot != "" {
		text(14, "B", "Robot "+l.Robot, 8)
	}
	doc.Line(margin, doc.GetY()+2, labelWidth-margin, doc.GetY()+2)
	doc.Ln(4)
	for i, s := range l.Items {
		if doc.GetY() > labelHeight-24 {
			text(11, "", fmt.Sprintf("and %d more", len(l.Items)-i), 6)
			break
		}
		text(13, "", s, 6.5)
	}
	if l.Note != "" && doc.GetY() < labelHeight-20 {
		doc.Ln(2)
		text(11, "", clip(l.Note, 160), 5.5)
	}
	doc.SetY(labelHeight - 10)
	text(8, "", "Footway · "+l.From, 4)
	var b bytes.Buffer
	err := doc.Output(&b)
	return b.Bytes(), err
}

// draw draws the QR code, as squares that a printer shows sharp.
func (l *label) draw(doc *fpdf.Fpdf, x, y, side float64) error {
	code, err := qr.Encode(l.Code, qr.M)
	if err != nil {
		return err
	}
	doc.SetFillColor(0, 0, 0)
	dot := side / float64(code.Size)
	for row := range code.Size {
		for col := 0; col < code.Size; col++ {
			run := 0
			for col+run < code.Size && code.Black(col+run, row) {
				run++
			}
			if run > 0 {
				doc.Rect(x+float64(col)*dot, y+float64(row)*dot, float64(run)*dot, dot+0.02, "F")
				col += run
			}
		}
	}
	return nil
}

// zpl writes the label in the language of Zebra printers, in UTF-8 (^CI28).
func (l *label) zpl() string {
	var b strings.Builder
	field := func(y, size, width, lines int, text string) {
		fmt.Fprintf(&b, "^FO40,%d^A0N,%d,%d^FB%d,%d,4,L^FH_^FD%s^FS\n", y, size, size, width, lines, escapeZPL(text))
	}
	b.WriteString("^XA\n^CI28\n^PW812\n^LL1218\n^LH0,0\n")
	field(40, 34, 480, 1, l.Shop)
	field(90, max(40, min(110, 1000/max(1, len(l.Number)))), 480, 2, l.Number)
	fmt.Fprintf(&b, "^FO540,40^BQN,2,7^FDMA,%s^FS\n", l.Code)
	b.WriteString("^FO40,360^GB732,3,3^FS\n")
	field(385, 64, 732, 1, l.Customer)
	field(460, 38, 732, 2, l.To)
	field(555, 34, 732, 1, "Ready "+l.Ready+"   At the door "+l.Door)
	if l.Robot != "" {
		field(605, 46, 732, 1, "Robot "+l.Robot)
	}
	b.WriteString("^FO40,665^GB732,3,3^FS\n")
	field(690, 38, 732, 10, strings.Join(l.Items, "\\&"))
	field(1120, 26, 732, 2, l.Note)
	b.WriteString("^XZ\n")
	return b.String()
}

// escapeZPL writes text so that nothing in it is a command: ^ and ~ begin one, _ begins a code.
func escapeZPL(text string) string {
	return strings.NewReplacer("_", "_5F", "^", "_5E", "~", "_7E", "\n", " ", "\r", " ", "\u00a0", " ").Replace(text)
}
