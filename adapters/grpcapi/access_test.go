package grpcapi

import (
	"log/slog"
	"slices"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/task"
)

// TestEveryMethodHasAnEntry walks what a server with everything serves.
func TestEveryMethodHasAnEntry(t *testing.T) {
	s, err := NewServer(Options{
		Fleet: &fleet.Service{}, Task: &task.Service{}, Maps: &maps.Service{}, Config: noConfigs{}, Reflection: true, Insecure: true, Log: slog.New(slog.DiscardHandler),
		FleetRobots: NewFleetLink(LinkOptions{}), TaskRobots: NewTaskLink(LinkOptions{}),
		Auth: Auth{Tokens: []SharedToken{{Token: "x"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for service, info := range s.grpc.GetServiceInfo() {
		for _, m := range info.Methods {
			served = append(served, "/"+service+"/"+m.Name)
		}
	}
	for _, method := range served {
		if len(access[method]) == 0 {
			t.Errorf("%s has no entry in the table of access: nobody may call it", method)
		}
	}
	for method, who := range access {
		if !slices.Contains(served, method) {
			t.Errorf("the table of access has %s, which is not served", method)
		}
		for _, x := range who {
			if !slices.Contains([]string{anybody, robots, deliveries, dispatcher, fleets, tasks, operator, anyService}, x) {
				t.Errorf("%s may be called by %q, whom nobody knows", method, x)
			}
		}
	}
	if len(served) < 40 {
		t.Errorf("only %d methods are served: the test shows nothing", len(served))
	}
}

type noConfigs struct{ Configs }

// TestAccess tries everybody at every method, against what the words of the table mean.
func TestAccess(t *testing.T) {
	everybody := map[string]Identity{
		"stranger": {}, "robot": {Role: RoleRobot, Name: "r1"}, "account": {Role: RoleAccount, Name: "acme"},
		// Robots with the names of services are robots all the same.
		"robot called dispatch": {Role: RoleRobot, Name: dispatcher}, "account called operator": {Role: RoleAccount, Name: operator},
		"robot called *": {Role: RoleRobot, Name: AnyService},
	}
	for _, name := range []string{deliveries, dispatcher, fleets, tasks, operator, "integrations"} {
		everybody["service "+name] = Identity{Role: RoleService, Name: name}
	}
	for method, who := range access {
		for name, i := range everybody {
			want := slices.Contains(who, anybody) ||
				slices.Contains(who, robots) && (i.Role == RoleRobot || i.Role == RoleAccount) ||
				i.Role == RoleService && (slices.Contains(who, anyService) || slices.Contains(who, i.Name))
			if got := allows(method, i); got != want {
				t.Errorf("%s at %s: %v, want %v", name, method, got, want)
			}
		}
	}
	for name, i := range everybody {
		if allows("/footway.v1.Fleet/Invented", i) {
			t.Errorf("%s may call a method without an entry", name)
		}
	}
}

// TestRetriesAreForIdempotentMethods holds the service config to the table of
// what is not repeated.
func TestRetriesAreForIdempotentMethods(t *testing.T) {
	cc, err := grpc.NewClient("dns:///x:1", grpc.WithDefaultServiceConfig(serviceConfig("footway.v1.Fleet")), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatalf("gRPC does not read our service config: %v", err)
	}
	defer cc.Close()
	for _, method := range once {
		if len(access[method]) == 0 {
			t.Errorf("%s is not repeated, and there is no such method", method)
		}
	}
}
