package merchant

import (
	"fmt"
	"slices"
	"strings"
)

// Hours say when a store is open, in its market's time zone: days and times as OpenStreetMap's
// opening_hours has them, such as "Mo-Fr 08:00-18:00; Sa 10:00-14:00,15:00-02:00". "" is always. They
// are for people and pages; a partner's order is not refused by them.
type Hours string

// MaxHours is how long hours may be, in bytes.
const MaxHours = 400

// Span is a time within a day, in minutes since midnight: from From until before To, which may be on the next day.
type Span struct{ From, To int }

// Week has the spans of each day, Monday first, in order.
type Week [7][]Span

const dayMinutes = 24 * 60

var dayNames = [7]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}

// Parse reads hours. What is always open is open each day from midnight to midnight.
func (h Hours) Parse() (Week, error) {
	var w Week
	if h == "" {
		for d := range w {
			w[d] = []Span{{0, dayMinutes}}
		}
		return w, nil
	}
	bad := invalid(opStore, "hours", `want days and times, such as "Mo-Fr 08:00-18:00; Sa 10:00-14:00"`)
	if len(h) > MaxHours {
		return w, bad
	}
	for rule := range strings.SplitSeq(string(h), ";") {
		days, times, ok := strings.Cut(strings.TrimSpace(rule), " ")
		from, to, known := parseDays(days)
		if !ok || !known {
			return w, bad
		}
		for text := range strings.SplitSeq(times, ",") {
			s, ok := parseSpan(strings.TrimSpace(text))
			if !ok {
				return w, bad
			}
			for d := from; ; d = (d + 1) % 7 {
				w[d] = append(w[d], s)
				if d == to {
					break
				}
			}
		}
	}
	for d := range w {
		slices.SortFunc(w[d], func(a, b Span) int { return a.From - b.From })
		for i := 1; i < len(w[d]); i++ {
			if w[d][i].From < w[d][i-1].To {
				return w, invalid(opStore, "hours", "two times of a day overlap")
			}
		}
	}
	return w, nil
}

func parseDays(text string) (from, to int, ok bool) {
	a, b, ranged := strings.Cut(text, "-")
	from, to = slices.Index(dayNames[:], a), slices.Index(dayNames[:], b)
	if !ranged {
		to = from
	}
	return from, to, from >= 0 && to >= 0
}

func parseSpan(text string) (s Span, ok bool) {
	a, b, ranged := strings.Cut(text, "-")
	from, ok1 := parseMinute(a)
	to, ok2 := parseMinute(b)
	if to <= from {
		to += dayMinutes // it ends on the next day
	}
	return Span{from, to}, ranged && ok1 && ok2 && from < dayMinutes
}

func parseMinute(text string) (int, bool) {
	if len(text) != 5 || text[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
	}
	h, m := int(text[0]-'0')*10+int(text[1]-'0'), int(text[3]-'0')*10+int(text[4]-'0')
	return h*60 + m, h < 24 && m < 60 || h == 24 && m == 0
}

// Hours writes a week down, equal days together. A week that is never open has no hours.
func (w *Week) Hours() Hours {
	var rules []string
	for d := 0; d < 7; {
		end := d
		for end+1 < 7 && slices.Equal(w[end+1], w[d]) {
			end++
		}
		if len(w[d]) > 0 {
			days := dayNames[d]
			if end > d {
				days += "-" + dayNames[end]
			}
			var times []string
			for _, s := range w[d] {
				to := s.To
				if to > dayMinutes {
					to -= dayMinutes
				}
				times = append(times, fmt.Sprintf("%02d:%02d-%02d:%02d", s.From/60, s.From%60, to/60, to%60))
			}
			rules = append(rules, days+" "+strings.Join(times, ","))
		}
		d = end + 1
	}
	return Hours(strings.Join(rules, "; "))
}

// Wait returns how many minutes it is from a minute of a day, Monday is 0, until it is open: 0 if it is. It
// returns false if it never is.
func (w *Week) Wait(day, minute int) (int, bool) {
	const never = 8 * dayMinutes
	best := never
	for d := -1; d <= 7; d++ { // what began yesterday may go on
		for _, s := range w[(day+d+7)%7] {
			from, to := d*dayMinutes+s.From-minute, d*dayMinutes+s.To-minute
			if to > 0 {
				best = min(best, max(0, from))
			}
		}
	}
	return best, best < never
}
