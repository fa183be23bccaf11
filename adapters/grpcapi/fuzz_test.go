package grpcapi

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/adapters/memory"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// door is one method that others call.
type door struct {
	name string
	call func(data []byte) error
}

// doors are the unary methods of all services, over empty stores.
func doors(t testing.TB) []door {
	clk, timers, journal, link := fake.NewClock(fake.Start), &fake.Timers{}, &fake.Journal{}, &fake.Link{}
	f := fleet.NewService(fleet.Deps{
		Store: memory.NewFleetStore(), Telemetry: memory.NewTelemetryStore(), Accounts: memory.NewAccountStore(), Link: link,
		Clock: clk, Timers: timers, Journal: journal, Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	store := memory.NewTaskStore()
	k := task.NewService(task.Deps{
		Store: store, Active: store, Link: link, Clock: clk, Timers: timers, Journal: journal, Notifier: &fake.Notifier{},
		Settings: func(market.ID) task.Settings { return task.DefaultSettings() },
	})
	b := maps.NewBuilder("one street", "nobody")
	b.Stretch(maps.Stretch{From: b.Node(maps.Point{Lon: 1}), To: b.Node(maps.Point{Lon: 10_001}), Name: "Quay"})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	networks := memory.NewMapStore()
	if err := networks.SaveNetwork(t.Context(), "", n); err != nil {
		t.Fatal(err)
	}
	m := maps.NewService(networks, clk, timers, journal)
	if err := m.Open(t.Context(), "", maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil { // "" is what most random requests name
		t.Fatal(err)
	}
	var all []door
	add := func(d grpc.ServiceDesc, s any) {
		for _, method := range d.Methods {
			all = append(all, door{d.ServiceName + "/" + method.MethodName, func(data []byte) error {
				_, err := method.Handler(s, context.Background(), func(q any) error {
					if proto.Unmarshal(data, q.(proto.Message)) != nil {
						return fault.New("fuzz", fault.Invalid, "", "not a message")
					}
					return nil
				}, nil)
				return err
			}})
		}
	}
	add(pb.Fleet_ServiceDesc, &fleetServer{s: f})
	add(pb.Tasks_ServiceDesc, &taskServer{s: k, bell: NewBell()})
	add(pb.Maps_ServiceDesc, newMapsServer(m))
	add(pb.Relay_ServiceDesc, &relay{fleet: NewFleetLink(LinkOptions{}), task: NewTaskLink(LinkOptions{})})
	return all
}

// FuzzRequest calls every method with anything: none may panic, or say that
// it was our fault.
func FuzzRequest(f *testing.F) {
	all := doors(f)
	for i := range all {
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte{0x0a, 0x00})
	}
	steps, err := proto.Marshal(&pb.CreateRequest{Market: "m", Delivery: "d", Attempt: -1, Robot: "r", Token: 1 << 63, Steps: []*pb.Step{{Kind: "drive"}, nil}})
	if err != nil {
		f.Fatal(err)
	}
	legs, err := proto.Marshal(&pb.MatrixRequest{From: &pb.Positions{Edge: []int32{-1, 1 << 30}, OffsetMm: []int32{0, -5}}, To: &pb.Positions{Edge: []int32{0}, OffsetMm: []int32{3}}})
	if err != nil {
		f.Fatal(err)
	}
	for i := range all {
		f.Add(uint8(i), steps)
		f.Add(uint8(i), legs)
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		d := all[int(which)%len(all)]
		if err := d.call(data); err != nil && fault.KindOf(err) == fault.Internal {
			t.Errorf("%s: %v", d.name, err)
		}
	})
}
