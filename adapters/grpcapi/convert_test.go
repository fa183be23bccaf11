package grpcapi

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
)

// fill sets everything in v to something that is not zero.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(r, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1+r.IntN(3), 3))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(r, v.Elem())
	case reflect.String:
		v.SetString(string(rune('a'+r.IntN(26))) + string(rune('à'+r.IntN(26))))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(r.Uint64() | 1))
	case reflect.Int32:
		v.SetInt(int64(int32(r.Uint32() | 1)))
	case reflect.Uint64:
		v.SetUint(r.Uint64() | 1)
	default:
		panic("fill: " + v.Type().String())
	}
}

// survives tests that every field of T comes back from the wire.
func survives[T any, P proto.Message](t *testing.T, to func(T) P, from func(P) T) {
	t.Helper()
	for seed := range uint64(50) {
		var want T
		fill(rand.New(rand.NewPCG(seed, 1)), reflect.ValueOf(&want).Elem())
		text, err := proto.Marshal(to(want))
		if err != nil {
			t.Fatalf("%T: %v", want, err)
		}
		var none P
		m := none.ProtoReflect().New().Interface().(P)
		if err := proto.Unmarshal(text, m); err != nil {
			t.Fatalf("%T: %v", want, err)
		}
		if got := from(m); !reflect.DeepEqual(got, want) {
			t.Fatalf("%T: went as %+v and came back as %+v", want, want, got)
		}
	}
	var zero T
	if got := from(to(zero)); reflect.TypeFor[T]().Kind() != reflect.Slice && !reflect.DeepEqual(got, zero) {
		t.Errorf("%T: the zero value came back as %+v", zero, got)
	}
}

func TestEveryFieldSurvives(t *testing.T) {
	survives(t, positionTo, positionFrom)
	survives(t, loadTo, loadFrom)
	survives(t, robotTo, robotFrom)
	survives(t, reservationTo, reservationFrom)
	survives(t, telemetryTo, telemetryFrom)
	survives(t, candidateTo, candidateFrom)
	survives(t, dockTo, dockFrom)
	survives(t, accountTo, accountFrom)
	survives(t, orderTo, orderFrom)
	survives(t, reserveTo, reserveFrom)
	survives(t, stepTo, stepFrom)
	survives(t, taskTo, taskFrom)
	survives(t, changeTo, changeFrom)
	survives(t, createTo, createFrom)
	survives(t, replanTo, replanFrom)
	survives(t, handoffTo, handoffFrom)
	survives(t, instructionTo, instructionFrom)
	survives(t, reportTo, reportFrom)
	survives(t, pointTo, pointFrom)
	survives(t, matchTo, matchFrom)
	survives(t, pieceTo, pieceFrom)
	survives(t, routeTo, routeFrom)
	survives(t, hoursTo, hoursFrom)
	survives(t, areaTo, areaFrom)
	survives(t, closureTo, closureFrom)
	survives(t, positionsTo, func(p *pb.Positions) []maps.Position {
		list, err := positionsFrom(p)
		if err != nil {
			t.Error(err)
		}
		return list[:len(list):len(list)]
	})
	survives(t, legsTo, func(m *pb.MatrixResponse) []maps.Leg {
		legs, err := legsFrom([]maps.Leg{}, m, len(m.GetOk()))
		if err != nil {
			t.Error(err)
		}
		return legs
	})
}

func TestBadColumns(t *testing.T) {
	if _, err := positionsFrom(&pb.Positions{Edge: []int32{1, 2}, OffsetMm: []int32{1}}); !fault.Is(err, fault.Invalid) {
		t.Errorf("two edges and one offset: %v, want it invalid", err)
	}
	if _, err := legsFrom(nil, &pb.MatrixResponse{Ms: []int64{1}}, 1); !fault.Is(err, fault.Internal) {
		t.Errorf("a leg without its columns: %v, want it internal", err)
	}
}

// TestFaultsSurvive sends each kind of error over the wire, by itself and within others.
func TestFaultsSurvive(t *testing.T) {
	for _, row := range kinds {
		err := faultOf("op", statusOf(fault.New("core", row.kind, "some_reason", "what was wrong"), true))
		if fault.KindOf(err) != row.kind || fault.ReasonOf(err) != "some_reason" {
			t.Errorf("%v came back as %v, reason %q", row.kind, fault.KindOf(err), fault.ReasonOf(err))
		}
		in := faultFrom("op", faultTo(fault.New("core", row.kind, "some_reason", "what was wrong"), true))
		if fault.KindOf(in) != row.kind || fault.ReasonOf(in) != "some_reason" {
			t.Errorf("%v within a stream came back as %v, reason %q", row.kind, fault.KindOf(in), fault.ReasonOf(in))
		}
	}
	if len(kinds) != int(fault.Exhausted)+1 {
		t.Errorf("the table has %d kinds, core/fault has %d", len(kinds), fault.Exhausted+1)
	}
}

// TestInternalTextsStayInside has an error that only we should read.
func TestInternalTextsStayInside(t *testing.T) {
	secret := errors.New("connect to 10.0.0.7 as footway: refused")
	for trusted, want := range map[bool]bool{true: true, false: false} {
		if text := statusOf(secret, trusted).Error(); strings.Contains(text, "10.0.0.7") != want {
			t.Errorf("trusted %v: the caller gets %q", trusted, text)
		}
		if text := faultTo(secret, trusted).GetText(); strings.Contains(text, "10.0.0.7") != want {
			t.Errorf("trusted %v: within a stream the caller gets %q", trusted, text)
		}
	}
}

// TestPingsAgree holds what clients do to what servers allow.
func TestPingsAgree(t *testing.T) {
	if pingByClient <= pingAtMost || pingByServer <= pingByClient || streamsPerConn*2 > streamsAtMost {
		t.Errorf("clients ping each %v and servers allow it each %v; robots share a connection by %d and servers allow %d: clients would be cut off",
			pingByClient, pingAtMost, streamsPerConn, streamsAtMost)
	}
}

// FuzzUp feeds anything to what reads robots' messages.
func FuzzUp(f *testing.F) {
	for _, m := range []*pb.Up{
		{Number: 1, Says: &pb.Up_Telemetry{Telemetry: telemetryTo(fleet.Telemetry{Robot: "r1", At: 5, Activity: fleet.Idle, Mode: fleet.Automatic})}},
		{Number: 2, Says: &pb.Up_Report{Report: &pb.Report{Task: "d1.1", Token: 1, Number: 1, Kind: "started"}}},
		{Says: &pb.Up_Hello{Hello: &pb.Hello{Robot: "r1", Account: "acme", Protocol: 1}}},
		{Says: &pb.Up_Answer{Answer: &pb.Answer{Id: 3, Fault: &pb.Fault{Kind: "conflict", Reason: "old_token"}}}},
	} {
		text, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var up pb.Up
		if proto.Unmarshal(text, &up) != nil {
			return
		}
		for _, err := range []error{checkTelemetry(telemetryFrom(up.GetTelemetry())), checkReport(reportFrom(up.GetReport()))} {
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("%v: %v, want it invalid", &up, err)
			}
		}
		if tm := telemetryFrom(up.GetTelemetry()); checkTelemetry(tm) == nil && (tm.At <= 0 || tm.ChargeMWh < 0 || tm.Position.OffsetMM < 0) {
			t.Errorf("%+v passed", tm)
		}
		if r := reportFrom(up.GetReport()); checkReport(r) == nil && (r.Step < 0 || r.Number == 0 || len(r.Cause) > maxText) {
			t.Errorf("%+v passed", r)
		}
		if err := faultFrom("robot", up.GetAnswer().GetFault()); err != nil && len(fault.ReasonOf(err)) > 64 {
			t.Errorf("a reason of %d bytes", len(fault.ReasonOf(err)))
		}
	})
}
