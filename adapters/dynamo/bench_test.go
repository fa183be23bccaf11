package dynamo

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// BenchmarkBareConditionalPut is what the server itself gives: puts of an
// item as large as a robot's, conditional on its revision, by the SDK alone.
func BenchmarkBareConditionalPut(b *testing.B) {
	db := open(b, func(o *Options) { o.PageSize = 0 })
	r := porttest.SampleRobot("r1", "m")
	if _, err := NewFleetStore(db).SaveRobot(b.Context(), r); err != nil {
		b.Fatal(err)
	}
	i, err := db.get(b.Context(), "bench", db.tables.robots(), robotPrefix+"r1")
	if err != nil {
		b.Fatal(err)
	}
	n := uint64(1)
	for b.Loop() {
		i[attrRev] = number(n + 1)
		_, err := db.client.PutItem(b.Context(), &dynamodb.PutItemInput{
			TableName: aws.String(db.tables.robots()), Item: i, ConditionExpression: aws.String("#rev = :rev"),
			ExpressionAttributeNames: map[string]string{"#rev": attrRev}, ExpressionAttributeValues: item{":rev": number(n)},
		})
		if err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "puts/s")
}

// BenchmarkReserve takes robots and gives them back, through the store alone
// and through the service, which reads robot and telemetry first. Each is one reservation: two writes.
func BenchmarkReserve(b *testing.B) {
	b.Run("store", func(b *testing.B) {
		s := NewFleetStore(open(b, func(o *Options) { o.PageSize = 0 }))
		r := porttest.SampleRobot("r1", "m")
		for b.Loop() {
			for _, held := range []*fleet.Reservation{{Holder: "delivery/d1#1", Token: r.LastToken + 1, Attempt: "a", Expires: fake.Start.Add(clock.Hour)}, nil} {
				r.Reservation = held
				if held != nil {
					r.LastToken = held.Token
				}
				var err error
				if r.Revision, err = s.SaveRobot(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reservations/s")
	})
	b.Run("service", func(b *testing.B) {
		db := open(b, func(o *Options) { o.PageSize = 0 })
		r := porttest.SampleRobot("r1", "m")
		r.State, r.Reservation = fleet.Available, nil
		if _, err := NewFleetStore(db).SaveRobot(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		s := fleet.NewService(fleet.Deps{
			Store: NewFleetStore(db), Telemetry: NewTelemetryStore(db), Accounts: NewAccountStore(db), Link: &fake.Link{},
			Clock: fake.NewClock(fake.Start), Timers: &fake.Timers{}, Journal: &fake.Journal{},
			Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
		})
		for n := 0; b.Loop(); n++ {
			reserve(b, s, fmt.Sprint("a", n))
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reservations/s")
	})
}

func reserve(b *testing.B, s *fleet.Service, attempt string) {
	token, err := s.Reserve(b.Context(), fleet.ReserveRequest{Robot: "r1", Holder: "delivery/d1#1", Attempt: attempt, Until: fake.Start.Add(clock.Hour)})
	if err == nil {
		err = s.Release(b.Context(), "r1", token)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkChanges reads the end of a feed where a hundred tasks changed within the overlap.
func BenchmarkChanges(b *testing.B) {
	s := NewTaskStore(open(b, func(o *Options) { o.PageSize = 0 }))
	for n := range 100 {
		if _, err := s.SaveTask(b.Context(), porttest.SampleTask("m", fmt.Sprint("d", n), "r1", 1, 5)); err != nil {
			b.Fatal(err)
		}
	}
	_, at, err := s.Changes(b.Context(), "m", "", 1000)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if more, _, err := s.Changes(b.Context(), "m", at, 1000); err != nil || len(more) > 0 {
			b.Fatal(len(more), err)
		}
	}
}
