// Package task owns what a robot has been told to do, step by step, and what
// it reported back. What the robot reports, not what was asked, moves a step.
package task

import (
	"context"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// ID names a task.
type ID string

// StepKind is the kind of a step.
type StepKind string

// The kinds.
const (
	Drive   StepKind = "drive"
	Handoff StepKind = "handoff"
	Charge  StepKind = "charge"
	Wait    StepKind = "wait"
)

// Purpose says which exchange a handoff is, and where a drive leads.
type Purpose string

// The purposes.
const (
	Load     Purpose = "load"     // at the merchant
	Unload   Purpose = "unload"   // at the recipient
	Return   Purpose = "return"   // back at the merchant
	Transfer Purpose = "transfer" // from a failed robot
)

// Status is how far a step is.
type Status string

// The statuses.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Retriable Status = "retriable" // a try failed, such as a jammed lid; may be tried again
	Done      Status = "done"
	Failed    Status = "failed"
	Skipped   Status = "skipped" // cancelled before its end
)

// Step is one thing to do.
type Step struct {
	Kind        StepKind        `json:"kind"`
	Purpose     Purpose         `json:"purpose"`
	To          maps.Position   `json:"to"`            // where a drive ends, or a handoff happens
	Budget      clock.Duration  `json:"budget"`        // how long it should take at most before it counts as overdue; 0: any time
	PIN         string          `json:"pin,omitempty"` // four digits a person must give to open the hatch; empty: none
	Status      Status          `json:"status"`
	Deadline    clock.Time      `json:"deadline"` // set when it starts: start + budget, later by the time that operators help; 0 if none
	StartedAt   clock.Time      `json:"started_at"`
	DoneAt      clock.Time      `json:"done_at"`
	HatchOpen   bool            `json:"hatch_open,omitempty"`
	Opened      bool            `json:"opened,omitempty"`       // the hatch has been open at least once in this step
	Tries       int             `json:"tries,omitempty"`        // failed tries of the hatch
	WrongPINs   int             `json:"wrong_pins,omitempty"`   // in a row
	LockedUntil clock.Time      `json:"locked_until,omitempty"` // no PIN is accepted before; 0 if never locked
	Asked       InstructionKind `json:"asked,omitempty"`        // Open or Confirm, as long as the robot has not reported on it
	AskedAt     clock.Time      `json:"asked_at,omitempty"`
	ConfirmAt   clock.Time      `json:"confirm_at,omitempty"` // when the closed hatch counts as the person's word that the exchange is over; 0 if it does not
	Overdue     bool            `json:"overdue,omitempty"`
	Assisted    bool            `json:"assisted,omitempty"`    // a remote operator helps now
	AssistedAt  clock.Time      `json:"assisted_at,omitempty"` // since when, or when last
	Cause       string          `json:"cause,omitempty"`       // why it failed or is retriable
}

// State is the state of a whole task.
type State string

// The states.
const (
	Active    State = "active"
	Finished  State = "finished"
	Broken    State = "failed"
	Cancelled State = "cancelled"
)

// Task is the work of one robot for one attempt of one delivery.
type Task struct {
	ID       ID            `json:"id"`
	Market   market.ID     `json:"market"`
	Delivery string        `json:"delivery"`
	Attempt  int           `json:"attempt"` // from 1; (delivery, attempt) is unique
	Robot    fleet.RobotID `json:"robot"`
	Token    uint64        `json:"token"` // fencing token of the robot's reservation
	State    State         `json:"state"`
	Steps    []Step        `json:"steps"`
	Current  int           `json:"current"`  // index of the running step; len(Steps) when finished
	Replans  int           `json:"replans"`  // number of the last replan
	Heard    uint64        `json:"heard"`    // number of the last report heard
	Position maps.Position `json:"position"` // where the robot said it was in the last report
	Events   []Change      `json:"events"`   // what happened, Seq 1, 2, 3, …; kept with the task so that one write keeps both
	Revision uint64        `json:"revision"`
}

// ChangeKind is what happened to a task.
type ChangeKind string

// The kinds of change.
const (
	Started     ChangeKind = "started"      // the robot took the step up
	Arrived     ChangeKind = "arrived"      // a drive is done
	HatchOpened ChangeKind = "hatch_opened" //
	HatchClosed ChangeKind = "hatch_closed" // closing does not finish the exchange
	HatchJammed ChangeKind = "hatch_jammed" // the step is retriable
	PINWrong    ChangeKind = "pin_wrong"    // cause "locked" if no PIN is accepted for a while
	Confirmed   ChangeKind = "confirmed"    // a handoff is done, or a charge or wait
	Overdue     ChangeKind = "overdue"      // a deadline passed
	AssistBegan ChangeKind = "assist_began"
	AssistEnded ChangeKind = "assist_ended"
	StepFailed  ChangeKind = "step_failed"
	Ended       ChangeKind = "ended"     // the last step is done
	Withdrawn   ChangeKind = "withdrawn" // cancelled
)

// Change is one thing that happened to a task: an entry of the feed that
// Deliveries watches, and the data of the journal's "task.<kind>" events.
type Change struct {
	Task     ID            `json:"task"`
	Delivery string        `json:"delivery"`
	Attempt  int           `json:"attempt"`
	Robot    fleet.RobotID `json:"robot"`
	Seq      uint64        `json:"seq"` // per task, from 1, without gaps
	At       clock.Time    `json:"at"`
	Kind     ChangeKind    `json:"kind"`
	Step     int           `json:"step"`
	StepKind StepKind      `json:"step_kind,omitempty"`
	Purpose  Purpose       `json:"purpose,omitempty"`
	Cause    string        `json:"cause,omitempty"`
	Position maps.Position `json:"position"` // where the robot said it was
}

// CreateRequest asks for a task. It is idempotent by (Delivery, Attempt): a
// repeat returns the same task, a repeat with another robot or token fails with fault.Conflict.
type CreateRequest struct {
	Market   market.ID
	Delivery string
	Attempt  int
	Robot    fleet.RobotID
	Token    uint64
	Steps    []Step // Kind, Purpose, To, Budget, PIN
}

// ReportKind is what a robot reports of a step.
type ReportKind string

// The kinds of report.
const (
	ReportStarted     ReportKind = "started"
	ReportArrived     ReportKind = "arrived"
	ReportOpened      ReportKind = "opened"
	ReportClosed      ReportKind = "closed"
	ReportJammed      ReportKind = "jammed"
	ReportConfirmed   ReportKind = "confirmed"
	ReportAssistBegan ReportKind = "assist_began"
	ReportAssistEnded ReportKind = "assist_ended"
	ReportFailed      ReportKind = "failed"
)

// Report is what a robot says of its task. A report of another robot, with another
// token or of a cancelled task is refused with fault.Conflict: the robot then forgets the task. One that was
// heard before, is of a step that is over, or comes after the task's end changes nothing.
type Report struct {
	Robot    fleet.RobotID `json:"robot"`
	Task     ID            `json:"task"`
	Token    uint64        `json:"token"`
	Step     int           `json:"step"`
	Number   uint64        `json:"number"` // rises with each report of the robot on this task, so that a repeat is recognised
	Kind     ReportKind    `json:"kind"`
	Cause    string        `json:"cause,omitempty"`
	Position maps.Position `json:"position"`
}

// Instruction is what Task tells a robot.
type Instruction struct {
	Task     ID              `json:"task"`
	Delivery string          `json:"delivery"`
	Token    uint64          `json:"token"`
	Kind     InstructionKind `json:"kind"`
	Index    int             `json:"index"` // of the step
	Step     Step            `json:"step"`  // without its PIN
}

// InstructionKind is the kind of an instruction.
type InstructionKind string

// The kinds.
const (
	Do      InstructionKind = "do"      // begin the step; repeated after a cut, the robot then goes on with what it does
	Open    InstructionKind = "open"    // open the hatch
	Confirm InstructionKind = "confirm" // the exchange is over: lock, and report
	Drop    InstructionKind = "drop"    // forget the task; stop at the next safe place
)

// Link carries instructions to robots.
type Link interface {
	// Instruct sends in to the robot. It fails with fault.Unavailable when the
	// robot has no contact; Service.Sync sends again when it is back.
	Instruct(ctx context.Context, robot fleet.RobotID, in Instruction) error
}

// Cursor is a place in a market's feed of changes; "" is its beginning.
type Cursor string

// Store keeps tasks. Each write is of a single task, conditional on its revision.
type Store interface {
	// Task returns the task, or a fault.NotFound error.
	Task(ctx context.Context, id ID) (Task, error)
	// SaveTask writes t if the stored revision is still t.Revision (0: no task of
	// its (delivery, attempt) may exist), and returns the new revision; otherwise
	// it writes nothing and fails with fault.Conflict. A fault.Unavailable error
	// leaves open whether the write happened.
	SaveTask(ctx context.Context, t Task) (revision uint64, err error)
	// ActiveOf returns the active task of a robot, or a fault.NotFound error. If it has several, since
	// an old one was not cancelled yet, it is the one with the highest token.
	ActiveOf(ctx context.Context, robot fleet.RobotID) (Task, error)
	// Changes returns entries of the market's feed after the cursor, at most limit of
	// them (rounded up to whole tasks), and the cursor behind them. Entries of one
	// task come in the order of Seq; entries may be repeated, never left out.
	Changes(ctx context.Context, m market.ID, after Cursor, limit int) ([]Change, Cursor, error)
}

// ActiveStore finds what a restart must take up again.
type ActiveStore interface {
	// Active returns the active tasks of a market with an ID above after, ordered by ID, at most limit.
	Active(ctx context.Context, m market.ID, after ID, limit int) ([]Task, error)
}

// ReplanRequest replaces what is not done of a task's steps from index From on, as when
// goods must go back or the recipient's address changed. Number counts the replans
// of a task from 1; a repeat of the last number changes nothing, an older one is refused with
// fault.Conflict. If the current step is among those replaced it is skipped but keeps its index, the new
// steps follow it, and the robot is told to do the first of them. While the hatch is open
// that is refused with fault.Conflict, reason "hatch_open".
type ReplanRequest struct {
	Task   ID
	Number int
	From   int
	Steps  []Step
}

// HandoffRequest is what a person at the robot wants.
type HandoffRequest struct {
	Task    ID
	Purpose Purpose     // which exchange they mean; fault.Conflict if another step is running
	Want    HandoffWant //
	PIN     string      // for Open, where the step has one; wrong: fault.Forbidden, reason "pin_wrong" or "pin_locked"
	Staff   bool        // the person is known to the system (a signed-in merchant or an operator), so no PIN is needed
}

// HandoffWant is the kind of a handoff request.
type HandoffWant string

// The wants.
const (
	WantOpen    HandoffWant = "open"    // idempotent; refused with fault.Conflict while the robot moves
	WantConfirm HandoffWant = "confirm" // refused with fault.Conflict while the hatch is open or was never opened
)

// Notifier is told that a market's feed has a new entry, so that watchers need not poll.
type Notifier interface {
	Changed(ctx context.Context, m market.ID)
}
