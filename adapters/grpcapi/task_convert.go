package grpcapi

import (
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/task"
)

func stepTo(s task.Step) *pb.Step {
	return &pb.Step{
		Kind: string(s.Kind), Purpose: string(s.Purpose), To: positionTo(s.To), BudgetMs: int64(s.Budget), Pin: s.PIN, Status: string(s.Status),
		DeadlineMs: int64(s.Deadline), StartedAtMs: int64(s.StartedAt), DoneAtMs: int64(s.DoneAt), HatchOpen: s.HatchOpen, Opened: s.Opened,
		Tries: int64(s.Tries), WrongPins: int64(s.WrongPINs), LockedUntilMs: int64(s.LockedUntil), Asked: string(s.Asked), AskedAtMs: int64(s.AskedAt),
		ConfirmAtMs: int64(s.ConfirmAt), Overdue: s.Overdue, Assisted: s.Assisted, AssistedAtMs: int64(s.AssistedAt), Cause: s.Cause,
	}
}

func stepFrom(s *pb.Step) task.Step {
	return task.Step{
		Kind: task.StepKind(s.GetKind()), Purpose: task.Purpose(s.GetPurpose()), To: positionFrom(s.GetTo()), Budget: clock.Duration(s.GetBudgetMs()),
		PIN: s.GetPin(), Status: task.Status(s.GetStatus()), Deadline: clock.Time(s.GetDeadlineMs()), StartedAt: clock.Time(s.GetStartedAtMs()),
		DoneAt: clock.Time(s.GetDoneAtMs()), HatchOpen: s.GetHatchOpen(), Opened: s.GetOpened(), Tries: int(s.GetTries()), WrongPINs: int(s.GetWrongPins()),
		LockedUntil: clock.Time(s.GetLockedUntilMs()), Asked: task.InstructionKind(s.GetAsked()), AskedAt: clock.Time(s.GetAskedAtMs()),
		ConfirmAt: clock.Time(s.GetConfirmAtMs()), Overdue: s.GetOverdue(), Assisted: s.GetAssisted(), AssistedAt: clock.Time(s.GetAssistedAtMs()), Cause: s.GetCause(),
	}
}

func taskTo(t task.Task) *pb.Task {
	return &pb.Task{
		Id: string(t.ID), Market: string(t.Market), Delivery: t.Delivery, Attempt: int64(t.Attempt), Robot: string(t.Robot), Token: t.Token,
		State: string(t.State), Steps: each(t.Steps, stepTo), Current: int64(t.Current), Replans: int64(t.Replans), Heard: t.Heard,
		Position: positionTo(t.Position), Events: each(t.Events, changeTo), Revision: t.Revision,
	}
}

func taskFrom(t *pb.Task) task.Task {
	return task.Task{
		ID: task.ID(t.GetId()), Market: market.ID(t.GetMarket()), Delivery: t.GetDelivery(), Attempt: int(t.GetAttempt()), Robot: fleet.RobotID(t.GetRobot()),
		Token: t.GetToken(), State: task.State(t.GetState()), Steps: each(t.GetSteps(), stepFrom), Current: int(t.GetCurrent()), Replans: int(t.GetReplans()),
		Heard: t.GetHeard(), Position: positionFrom(t.GetPosition()), Events: each(t.GetEvents(), changeFrom), Revision: t.GetRevision(),
	}
}

func changeTo(c task.Change) *pb.Change {
	return &pb.Change{
		Task: string(c.Task), Delivery: c.Delivery, Attempt: int64(c.Attempt), Robot: string(c.Robot), Seq: c.Seq, AtMs: int64(c.At), Kind: string(c.Kind),
		Step: int64(c.Step), StepKind: string(c.StepKind), Purpose: string(c.Purpose), Cause: c.Cause, Position: positionTo(c.Position),
	}
}

func changeFrom(c *pb.Change) task.Change {
	return task.Change{
		Task: task.ID(c.GetTask()), Delivery: c.GetDelivery(), Attempt: int(c.GetAttempt()), Robot: fleet.RobotID(c.GetRobot()), Seq: c.GetSeq(),
		At: clock.Time(c.GetAtMs()), Kind: task.ChangeKind(c.GetKind()), Step: int(c.GetStep()), StepKind: task.StepKind(c.GetStepKind()),
		Purpose: task.Purpose(c.GetPurpose()), Cause: c.GetCause(), Position: positionFrom(c.GetPosition()),
	}
}

func createTo(r task.CreateRequest) *pb.CreateRequest {
	return &pb.CreateRequest{Market: string(r.Market), Delivery: r.Delivery, Attempt: int64(r.Attempt), Robot: string(r.Robot), Token: r.Token, Steps: each(r.Steps, stepTo)}
}

func createFrom(r *pb.CreateRequest) task.CreateRequest {
	return task.CreateRequest{
		Market: market.ID(r.GetMarket()), Delivery: r.GetDelivery(), Attempt: int(r.GetAttempt()), Robot: fleet.RobotID(r.GetRobot()), Token: r.GetToken(),
		Steps: each(r.GetSteps(), stepFrom),
	}
}

func replanTo(r task.ReplanRequest) *pb.ReplanRequest {
	return &pb.ReplanRequest{Task: string(r.Task), Number: int64(r.Number), From: int64(r.From), Steps: each(r.Steps, stepTo)}
}

func replanFrom(r *pb.ReplanRequest) task.ReplanRequest {
	return task.ReplanRequest{Task: task.ID(r.GetTask()), Number: int(r.GetNumber()), From: int(r.GetFrom()), Steps: each(r.GetSteps(), stepFrom)}
}

func handoffTo(r task.HandoffRequest) *pb.HandoffRequest {
	return &pb.HandoffRequest{Task: string(r.Task), Purpose: string(r.Purpose), Want: string(r.Want), Pin: r.PIN, Staff: r.Staff}
}

func handoffFrom(r *pb.HandoffRequest) task.HandoffRequest {
	return task.HandoffRequest{Task: task.ID(r.GetTask()), Purpose: task.Purpose(r.GetPurpose()), Want: task.HandoffWant(r.GetWant()), PIN: r.GetPin(), Staff: r.GetStaff()}
}

func instructionTo(in task.Instruction) *pb.Instruction {
	return &pb.Instruction{Task: string(in.Task), Delivery: in.Delivery, Token: in.Token, Kind: string(in.Kind), Index: int64(in.Index), Step: stepTo(in.Step)}
}

func instructionFrom(in *pb.Instruction) task.Instruction {
	return task.Instruction{
		Task: task.ID(in.GetTask()), Delivery: in.GetDelivery(), Token: in.GetToken(), Kind: task.InstructionKind(in.GetKind()), Index: int(in.GetIndex()), Step: stepFrom(in.GetStep()),
	}
}

func reportTo(r task.Report) *pb.Report {
	return &pb.Report{
		Robot: string(r.Robot), Task: string(r.Task), Token: r.Token, Step: int64(r.Step), Number: r.Number, Kind: string(r.Kind), Cause: r.Cause, Position: positionTo(r.Position),
	}
}

func reportFrom(r *pb.Report) task.Report {
	return task.Report{
		Robot: fleet.RobotID(r.GetRobot()), Task: task.ID(r.GetTask()), Token: r.GetToken(), Step: int(r.GetStep()), Number: r.GetNumber(),
		Kind: task.ReportKind(r.GetKind()), Cause: r.GetCause(), Position: positionFrom(r.GetPosition()),
	}
}

// checkReport returns what is wrong with a robot's word. What does not fit its
// task is for Task to say.
func checkReport(r task.Report) error {
	bad := func(format string, args ...any) error {
		return fault.New("grpcapi.Report", fault.Invalid, "bad_report", "robot %s: "+format, append([]any{r.Robot}, args...)...)
	}
	switch {
	case r.Task == "" || len(r.Task) > maxText || r.Number == 0 || r.Token == 0:
		return bad("report %d under token %d on a task with a name of %d bytes; want all three", r.Number, r.Token, len(r.Task))
	case r.Step < 0:
		return bad("step is %d; want 0 or more", r.Step)
	case len(r.Cause) > maxText:
		return bad("cause of %d bytes; want at most %d", len(r.Cause), maxText)
	case r.Position.Edge < maps.NoEdge || r.Position.OffsetMM < 0:
		return bad("position is %d mm along edge %d; want neither below its beginning", r.Position.OffsetMM, r.Position.Edge)
	}
	switch r.Kind {
	case task.ReportStarted, task.ReportArrived, task.ReportOpened, task.ReportClosed, task.ReportJammed, task.ReportConfirmed,
		task.ReportAssistBegan, task.ReportAssistEnded, task.ReportFailed:
		return nil
	}
	return bad("kind is %q; want one that robots report, such as started or arrived", clip(string(r.Kind), 32))
}
