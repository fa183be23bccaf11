package grpcapi

import (
	"google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	pb "footway/adapters/grpcapi/footwayv1"
)

// Who may call. Services are those of the design; "operator" is a person's
// command line and the pages for operators.
const (
	anybody    = "anybody" // also without credentials
	robots     = "robots"  // robots and the accounts that they belong to
	deliveries = "deliveries"
	dispatcher = "dispatch"
	fleets     = "fleet"
	tasks      = "task"
	operator   = "operator"
	anyService = "any service"
)

// access is the table of who may call what. What is not in it nobody may call.
var access = map[string][]string{
	pb.Fleet_Candidates_FullMethodName:  {deliveries, dispatcher, operator},
	pb.Fleet_Reserve_FullMethodName:     {dispatcher},
	pb.Fleet_Renew_FullMethodName:       {dispatcher},
	pb.Fleet_Release_FullMethodName:     {dispatcher, operator},
	pb.Fleet_Docks_FullMethodName:       {dispatcher, operator},
	pb.Fleet_Command_FullMethodName:     {dispatcher},
	pb.Fleet_Register_FullMethodName:    {operator},
	pb.Fleet_Remove_FullMethodName:      {operator},
	pb.Fleet_GetRobot_FullMethodName:    {deliveries, dispatcher, tasks, operator},
	pb.Fleet_ListRobots_FullMethodName:  {deliveries, operator},
	pb.Fleet_GetAccount_FullMethodName:  {tasks, operator},
	pb.Fleet_SaveAccount_FullMethodName: {operator},
	pb.Fleet_SaveDock_FullMethodName:    {operator},

	pb.Tasks_Create_FullMethodName:  {deliveries},
	pb.Tasks_Replan_FullMethodName:  {deliveries},
	pb.Tasks_Cancel_FullMethodName:  {deliveries, operator},
	pb.Tasks_Handoff_FullMethodName: {deliveries},
	pb.Tasks_GetTask_FullMethodName: {deliveries, operator},
	pb.Tasks_Changes_FullMethodName: {deliveries, operator},
	pb.Tasks_Watch_FullMethodName:   {deliveries, operator},

	pb.Maps_Geocode_FullMethodName:  {anyService},
	pb.Maps_Search_FullMethodName:   {anyService},
	pb.Maps_Snap_FullMethodName:     {anyService},
	pb.Maps_Serves_FullMethodName:   {anyService},
	pb.Maps_PointAt_FullMethodName:  {anyService},
	pb.Maps_Matrix_FullMethodName:   {dispatcher, operator},
	pb.Maps_Version_FullMethodName:  {dispatcher, operator},
	pb.Maps_Route_FullMethodName:    {deliveries, dispatcher, operator},
	pb.Maps_Areas_FullMethodName:    {anyService},
	pb.Maps_Closures_FullMethodName: {anyService},
	pb.Maps_SetArea_FullMethodName:  {operator},
	pb.Maps_Close_FullMethodName:    {operator},
	pb.Maps_Reopen_FullMethodName:   {operator},
	pb.Maps_SetSpeed_FullMethodName: {operator},

	pb.Config_Get_FullMethodName:   {anyService},
	pb.Config_Fetch_FullMethodName: {anyService},
	pb.Config_Watch_FullMethodName: {anyService},

	pb.FleetRobots_Connect_FullMethodName: {robots},
	pb.TaskRobots_Connect_FullMethodName:  {robots},
	pb.Relay_Deliver_FullMethodName:       {fleets, tasks},

	grpc_health_v1.Health_Check_FullMethodName: {anybody},
	grpc_health_v1.Health_List_FullMethodName:  {anyService},
	grpc_health_v1.Health_Watch_FullMethodName: {anyService, robots},

	reflectionv1.ServerReflection_ServerReflectionInfo_FullMethodName:      {operator},
	reflectionv1alpha.ServerReflection_ServerReflectionInfo_FullMethodName: {operator},
}

// allows reports whether i may call the method.
func allows(method string, i Identity) bool {
	for _, who := range access[method] {
		switch {
		case who == anybody:
			return true
		case who == robots:
			if i.Role == RoleRobot || i.Role == RoleAccount {
				return true
			}
		case i.Role == RoleService && (who == anyService || who == i.Name || i.Name == AnyService):
			return true
		}
	}
	return false
}

// isPublic reports whether the method asks for no credentials.
func isPublic(method string) bool { return allows(method, Identity{}) }
