package system_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/adapters/grpcapi"
	"footway/core/clock"
	"footway/core/task"
)

// check looks at how everything ended.
type check struct {
	t        testing.TB
	ctx      context.Context
	stack    *stack
	partner  *partner
	receiver *receiver

	accepted map[string]string          // external id to how it ended
	log      map[string][]event         // the partner's log by delivery
	bodies   map[string]json.RawMessage // the same by event id
}

// over reports whether a delivery's status is its last.
func over(status string) bool {
	return status == "delivered" || status == "returned" || status == "cancelled"
}

// ended waits until every delivery that was accepted has ended, as the door says.
func (c *check) ended(step func(string, ...any)) {
	c.t.Helper()
	c.accepted = map[string]string{}
	for _, a := range c.partner.answers {
		if what := does(a.Request); a.Status == http.StatusOK && (what == "accept" || what == "deliver") {
			c.accepted[about(a.Request)] = ""
		}
	}
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute)
	defer cancel()
	for began := time.Now(); ; {
		var open []string
		for id, status := range c.accepted {
			if over(status) {
				continue
			}
			var d struct {
				Status string `json:"delivery_status"`
			}
			if err := c.partner.get(ctx, "/drive/v2/deliveries/"+id, &d); err != nil {
				c.t.Fatal(err)
			}
			if c.accepted[id] = d.Status; !over(d.Status) {
				open = append(open, id+" is "+d.Status)
			}
		}
		if len(open) == 0 {
			step("all %d deliveries have ended, %.1f s after the last kill", len(c.accepted), time.Since(began).Seconds())
			return
		}
		select {
		case <-ctx.Done():
			slices.Sort(open)
			c.t.Fatalf("%v after the last kill %d of %d deliveries have not ended: %s", time.Since(began).Round(time.Second), len(open), len(c.accepted), strings.Join(open, ", "))
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// answers checks what the partner was answered.
func (c *check) answers() {
	c.t.Helper()
	kinds, lost := map[string]int{}, 0
	for _, a := range c.partner.answers {
		what := does(a.Request)
		lost += a.Lost
		switch {
		case a.Status == 0 || a.Status >= 500 || a.Status == http.StatusTooManyRequests:
			c.t.Errorf("%s %s was not answered in %v: the last of %d tries had %d %s %s", a.Method, a.Path, patience, a.Tries, a.Status, a.Body, a.Error)
		case a.Status == http.StatusOK:
			kinds[what]++
		case a.Status == http.StatusBadRequest && what == "edit" && bytes.Contains(a.Body, []byte("tip")):
			kinds["refused"]++
		case a.Status == http.StatusConflict && (what == "edit" || what == "cancel" || what == "accept"):
			kinds["too late"]++
		case a.Status == http.StatusUnprocessableEntity && (what == "quote" || what == "deliver"):
			kinds["impossible"]++
		case a.Status == http.StatusNotFound || a.Status == http.StatusConflict: // of what was impossible
			kinds["of none"]++
		default:
			c.t.Errorf("%s %s: %d %s", a.Method, a.Path, a.Status, a.Body)
		}
	}
	c.t.Logf("answers: %v; %d tries were lost and repeated", kinds, lost)
	if orders := kinds["quote"] + kinds["deliver"] + kinds["impossible"]; len(c.accepted)*10 < orders*7 {
		c.t.Errorf("%d of %d orders were accepted: too few to have shown anything", len(c.accepted), orders)
	}
}

// events reads the partner's log and checks that it is whole, and that nothing happened twice in it.
func (c *check) events() {
	c.t.Helper()
	c.log, c.bodies = map[string][]event{}, map[string]json.RawMessage{}
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	delivered := map[string]int{} // ids of ours by external id: one each
	for after := uint64(0); ; {
		var page struct {
			Events    []json.RawMessage
			Next      uint64
			Forgotten uint64
		}
		if err := c.partner.get(ctx, fmt.Sprintf("/events?after=%d&limit=500", after), &page); err != nil {
			c.t.Fatal(err)
		}
		if page.Forgotten != 0 {
			c.t.Errorf("%d events behind %d are forgotten", page.Forgotten, after)
		}
		for _, b := range page.Events {
			var e event
			if err := json.Unmarshal(b, &e); err != nil {
				c.t.Fatal(err)
			}
			if e.Position != after+1 {
				c.t.Errorf("position %d comes after %d", e.Position, after)
			}
			after = e.Position
			c.log[e.Delivery] = append(c.log[e.Delivery], e)
			c.bodies[e.ID] = b
			if e.Sequence == 1 {
				delivered[e.External]++
			}
		}
		if len(page.Events) == 0 {
			if c.whole() {
				break
			}
			select {
			case <-ctx.Done():
				c.t.Fatalf("after a minute the partner's log lacks ends of deliveries: %s", strings.Join(c.lacking(), ", "))
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	for external, n := range delivered {
		if n != 1 {
			c.t.Errorf("%s is %d deliveries", external, n)
		}
	}
	for _, all := range c.log {
		c.story(all)
	}
}

// lacking returns the deliveries whose end is not in the log, although the door knows it.
func (c *check) lacking() []string {
	last := map[string]string{}
	for _, all := range c.log {
		last[all[0].External] = all[len(all)-1].Status
	}
	var out []string
	for id, status := range c.accepted {
		if last[id] != status {
			out = append(out, id+" is "+status+", and was told as "+last[id])
		}
	}
	slices.Sort(out)
	return out
}

func (c *check) whole() bool { return len(c.lacking()) == 0 }

// story checks the events of one delivery: no gap, each state follows the one before, and what the partner did once is there once.
func (c *check) story(all []event) {
	times, status := map[string]int{}, ""
	for i, e := range all {
		times[e.Name]++
		if e.Sequence != uint64(i+1) {
			c.t.Errorf("%s: event %d has sequence %d", e.External, i+1, e.Sequence)
		}
		if i > 0 && e.Before != "" && e.Before != status {
			c.t.Errorf("%s: event %d comes from %s, and it was %s", e.External, i+1, e.Before, status)
		}
		status = cmp.Or(e.Status, status)
	}
	for _, name := range []string{"FOOTWAY_QUOTED", "FOOTWAY_CREATED", "FOOTWAY_EDITED", "DASHER_DROPPED_OFF", "DELIVERY_CANCELLED", "DELIVERY_RETURNED"} {
		if times[name] > 1 {
			c.t.Errorf("%s: %s happened %d times", all[0].External, name, times[name])
		}
	}
	if ends := times["DASHER_DROPPED_OFF"] + times["DELIVERY_CANCELLED"] + times["DELIVERY_RETURNED"]; ends > 1 {
		c.t.Errorf("%s ended %d times", all[0].External, ends)
	}
}

// webhooks waits until all of the log was told, and checks that it was told in order, and in the same words.
func (c *check) webhooks(step func(string, ...any)) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx, 90*time.Second)
	defer cancel()
	for began := time.Now(); c.receiver.count() < len(c.bodies); {
		select {
		case <-ctx.Done():
			c.t.Errorf("%v after the last delivery ended, %d of %d events were told", time.Since(began).Round(time.Second), c.receiver.count(), len(c.bodies))
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	step("all %d events were told", len(c.bodies))
	r := c.receiver
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range r.wrong {
		c.t.Error(text)
	}
	for delivery, all := range r.told {
		for i, e := range all {
			if e.Sequence != uint64(i+1) {
				c.t.Errorf("%s: webhook %d has sequence %d", e.External, i+1, e.Sequence)
			}
			if body := r.bodies[e.ID]; body != string(c.bodies[e.ID]) {
				c.t.Errorf("event %s was told as\n%s\nand is\n%s", e.ID, body, c.bodies[e.ID])
			}
		}
		if len(all) != len(c.log[delivery]) {
			c.t.Errorf("%s: %d webhooks of %d events", all[0].External, len(all), len(c.log[delivery]))
		}
	}
}

// robots checks that no robot had two jobs at once, neither by what it did nor by what the partner was told, and that in
// the end none is kept for a delivery.
func (c *check) robots() {
	c.t.Helper()
	jobs := map[string][]job{}
	for _, all := range c.log {
		for robot, list := range jobsTold(all) {
			jobs[robot] = append(jobs[robot], list...)
		}
	}
	apart(c.t, "as partners were told", jobs)
	tasks := grpcapi.NewTaskClient(c.stack.dial("task"))
	done := map[string]*job{}
	for after := task.Cursor(""); ; {
		changes, next, err := tasks.Changes(c.ctx, city, after, 500)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, e := range changes {
			j := done[string(e.Task)]
			if j == nil {
				j = &job{what: fmt.Sprintf("%s#%d", e.Delivery, e.Attempt), robot: string(e.Robot), from: e.At}
				done[string(e.Task)] = j
			}
			j.from, j.to = min(j.from, e.At), max(j.to, e.At)
		}
		if len(changes) == 0 {
			break
		}
		after = next
	}
	jobs = map[string][]job{}
	for _, j := range done {
		jobs[j.robot] = append(jobs[j.robot], *j)
	}
	apart(c.t, "as robots reported", jobs)
	if len(done) == 0 {
		c.t.Error("there are no tasks in Task's feed")
	}
	c.released()
}

// released waits until no robot is kept for a delivery any more.
func (c *check) released() {
	c.t.Helper()
	robots := grpcapi.NewFleetClient(c.stack.dial("fleet"))
	ctx, cancel := context.WithTimeout(c.ctx, 30*time.Second)
	defer cancel()
	for {
		all, err := robots.Robots(ctx, city)
		var kept []string
		for _, r := range all {
			if r.Reservation != nil && strings.HasPrefix(r.Reservation.Holder, "delivery/") {
				kept = append(kept, fmt.Sprintf("%s for %s", r.ID, r.Reservation.Holder))
			}
		}
		if err == nil && len(kept) == 0 && len(all) > 0 {
			return
		}
		select {
		case <-ctx.Done():
			c.t.Errorf("of %d robots some are still reserved (%v): %s", len(all), err, strings.Join(kept, ", "))
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// job is what a robot did from one instant to another.
type job struct {
	what, robot string
	from, to    clock.Time
}

// jobsTold returns when each robot had a delivery, by its events.
func jobsTold(all []event) map[string][]job {
	jobs := map[string][]job{}
	var at *job
	end := func(e event) {
		if at != nil {
			at.to = instant(e.CreatedAt)
			jobs[at.robot] = append(jobs[at.robot], *at)
			at = nil
		}
	}
	for _, e := range all {
		switch {
		case over(e.Status), e.Name == "FOOTWAY_UNASSIGNED":
			end(e)
		case e.Name == "DASHER_CONFIRMED", e.Name == "FOOTWAY_CUSTODY_MOVED":
			end(e)
			at = &job{what: e.External, robot: e.Robot, from: instant(e.CreatedAt)}
		}
	}
	return jobs
}

func instant(text string) clock.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return clock.Of(t)
}

// apart checks that no robot has two jobs at once.
func apart(t testing.TB, how string, jobs map[string][]job) {
	t.Helper()
	for robot, list := range jobs {
		slices.SortFunc(list, func(a, b job) int { return cmp.Compare(a.from, b.from) })
		for i := 1; i < len(list); i++ {
			if a, b := list[i-1], list[i]; b.from < a.to {
				t.Errorf("%s, %s was at %s from %v to %v, and at %s from %v to %v", how, robot, a.what, a.from, a.to, b.what, b.from, b.to)
			}
		}
	}
}

// logs checks that no process has logged what identifies people, or a secret.
func (c *check) logs() {
	c.t.Helper()
	secrets := []string{personName, personPhone, personNote, c.partner.key.Secret}
	for _, name := range []string{"OPERATOR_TOKEN", "SIMULATOR_TOKEN", "ROBOTS_TOKEN", "SEAL_KEY", "DELIVERIES_TOKEN"} {
		secrets = append(secrets, os.Getenv("FOOTWAY_SYSTEM_"+name))
	}
	for _, p := range slices.Concat(c.stack.services, c.stack.others) {
		b, err := os.ReadFile(p.log)
		if err != nil {
			c.t.Error(err)
		}
		for _, s := range secrets {
			if s == "" || bytes.Contains(b, []byte(s)) {
				c.t.Errorf("the log of %s holds %q", p.name, s)
			}
		}
		for _, bad := range []string{"panic:", "DATA RACE"} {
			if bytes.Contains(b, []byte(bad)) {
				c.t.Errorf("the log of %s holds %q:\n%s", p.name, bad, p.last(40))
			}
		}
	}
}

// slowest tells the story of the delivery that took longest.
func (c *check) slowest() string {
	var longest clock.Duration
	var story strings.Builder
	for _, all := range c.log {
		first, last := all[0], all[len(all)-1]
		if took := instant(last.CreatedAt).Sub(instant(first.CreatedAt)); took > longest {
			longest = took
			story.Reset()
			fmt.Fprintf(&story, "%s:", first.External)
			for _, e := range all {
				fmt.Fprintf(&story, " %.1f s %s", instant(e.CreatedAt).Sub(instant(first.CreatedAt)).Seconds(), e.Name)
			}
		}
	}
	return story.String()
}

// figures says what it was.
func (c *check) figures(k *killer) string {
	ends := map[string]int{}
	for _, status := range c.accepted {
		ends[status]++
	}
	return fmt.Sprintf("%d deliveries %v, %d kills, %d events, %d webhooks came again", len(c.accepted), ends, k.kills, len(c.bodies), c.receiver.repeats)
}
