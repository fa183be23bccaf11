package dispatch

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"footway/core/fault"
	"footway/core/market"
)

// feed is a market's decisions in order. It is bounded: of those that readers
// have had long enough for, only those of jobs under way are kept, so that a
// reader who starts from the beginning still learns of every robot on the way.
type feed struct {
	Epoch   string  `json:"epoch"` // names this life of the process
	Last    uint64  `json:"last"`  // number of the last entry
	Entries []entry `json:"entries"`
}

type entry struct {
	Number   uint64   `json:"number"`
	Decision Decision `json:"decision"`
}

// add appends a decision.
func (f *feed) add(x Decision) {
	f.Last++
	f.Entries = append(f.Entries, entry{f.Last, x})
}

// trim forgets entries once there are twice as many as are to be kept: those
// that are neither among the newest nor needed any more.
func (f *feed) trim(kept int, needed func(Decision) bool) {
	if len(f.Entries) <= 2*kept {
		return
	}
	old := f.Last - uint64(kept)
	f.Entries = slices.DeleteFunc(f.Entries, func(e entry) bool { return e.Number <= old && !needed(e.Decision) })
}

// after returns the entries behind cursor, at most limit, and the cursor behind them.
func (f *feed) after(c Cursor, limit int) ([]Decision, Cursor, error) {
	last, err := f.parse(c)
	if err != nil {
		return nil, "", err
	}
	i, _ := slices.BinarySearchFunc(f.Entries, last+1, func(e entry, n uint64) int {
		switch {
		case e.Number < n:
			return -1
		case e.Number > n:
			return 1
		}
		return 0
	})
	entries := f.Entries[i:min(i+limit, len(f.Entries))]
	out := make([]Decision, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Decision)
		last = e.Number
	}
	return out, f.cursor(last), nil
}

func (f *feed) cursor(number uint64) Cursor {
	return Cursor(f.Epoch + ":" + strconv.FormatUint(number, 10))
}

// parse returns the number of the last entry that a cursor has seen.
func (f *feed) parse(c Cursor) (uint64, error) {
	if c == "" {
		return 0, nil
	}
	epoch, number, ok := strings.Cut(string(c), ":")
	n, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil {
		return 0, fault.New("dispatch.Decisions", fault.Invalid, "bad_cursor", "cursor %q: want one that Decisions returned, or none", c)
	}
	if epoch != f.Epoch || n > f.Last {
		return 0, nil
	}
	return n, nil
}

// Decisions returns the entries of a market's feed after the cursor in order,
// at most limit, and the cursor behind them. Entries may be repeated, never left out.
func (s *Service) Decisions(ctx context.Context, m market.ID, after Cursor, limit int) (list []Decision, next Cursor, err error) {
	if limit < 1 {
		return nil, "", fault.New("dispatch.Decisions", fault.Invalid, "bad_limit", "limit %d: want at least 1", limit)
	}
	err = s.command(ctx, m, func(d *desk) error {
		list, next, err = d.state.Feed.after(after, limit)
		return err
	})
	return list, next, err
}
