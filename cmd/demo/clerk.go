package demo

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"footway/adapters/restapi"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/merchant"
	"footway/core/task"
)

// byItself begins the names of orders that nobody but the demo looks after. All others are a visitor's.
const byItself = "daily-"

// shop is the merchant of the city that the demo's shop is.
func (d *demo) shop() maps.Merchant {
	for _, m := range d.Network.Merchants {
		if m.Kind == "bakery" || m.Kind == "cafe" {
			return m
		}
	}
	return d.Network.Merchants[0]
}

// register registers the shop.
func (d *demo) register(ctx context.Context) error {
	if len(d.Network.Merchants) == 0 {
		return errors.New("the network has no merchants: want a map with shops")
	}
	key := merchant.BusinessKey{Partner: shopID, ID: business}
	shop := d.shop()
	if _, err := d.office.CreateBusiness(ctx, merchant.Business{BusinessKey: key, Name: shop.Name, Status: merchant.Active}); err != nil {
		return fmt.Errorf("register the shop: %w", err)
	}
	_, err := d.office.CreateStore(ctx, merchant.Store{
		StoreKey: merchant.StoreKey{Partner: shopID, Business: business, ID: storeID}, Name: shop.Name, Address: d.address(shop),
		Status: merchant.Active, Prep: 8 * clock.Minute, Phone: "+12065550111",
	})
	if err != nil {
		return fmt.Errorf("register its store: %w", err)
	}
	return nil
}

// keeper is who a visitor is in the shop.
const keeper = "keeper@shop.example"

// guest signs a visitor in as the keeper of the shop, and returns the token of the session.
func (d *demo) guest(ctx context.Context) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.password != "" {
		token, _, err := d.accounts.SignIn(ctx, keeper, d.password, "demo")
		return token, err
	}
	_, invitation, err := d.accounts.Found(ctx, merchant.BusinessKey{Partner: shopID, ID: business}, account.Person{Email: keeper, Name: "Demo keeper", Role: account.Admin})
	if err != nil {
		return "", err
	}
	password := crand.Text()
	token, _, err := d.accounts.TakeInvitation(ctx, invitation, password)
	if err == nil {
		d.password = password
	}
	return token, err
}

// orders has customers order from the shop, by the public API.
func (d *demo) orders(ctx context.Context) {
	for pause(ctx, spread(4*d.every())) {
		if _, err := d.order(ctx, d.daily()); err != nil && ctx.Err() == nil {
			d.Log.Info("an order of the shop did not come about", "error", err)
		}
	}
}

// daily is the name of another order that nobody but the demo looks after.
func (d *demo) daily() string { return fmt.Sprintf("%s%d", byItself, 100+d.numbers.Add(1)) }

// ordered orders something for somebody who waits for it: as soon as a robot is free, and at an address that robots get to.
func (d *demo) ordered(ctx context.Context, name func() string) (got delivery.Delivery, err error) {
	for {
		if got, err = d.order(ctx, name()); err == nil || !pause(ctx, 300*time.Millisecond) {
			return got, err
		}
	}
}

// order orders something from the shop to an address nearby.
func (d *demo) order(ctx context.Context, external string) (delivery.Delivery, error) {
	shop := d.shop()
	to := d.near(shop.Point)
	breads := []string{"Rye loaf", "Cinnamon rolls", "Sourdough", "Lemon tart", "Soup of the day"}
	people := delivery.Personal{
		PickupAddress: d.address(shop), PickupName: shop.Name, PickupPhone: "+12065550111",
		DropoffAddress: to.String(), DropoffGivenName: "Robin", DropoffFamilyName: "Vale", DropoffPhone: "+12065550142",
		Items: []delivery.Item{{Name: breads[rand.IntN(len(breads))], Quantity: 1 + rand.IntN(2), Price: 850}},
	}
	_, err := d.people.Quote(ctx, delivery.QuoteRequest{
		Market: d.Market.ID, Partner: shopID, ExternalID: external, RequestHash: external, PickupStore: business + "/" + storeID,
		Pickup: dispatch.Place{Address: d.address(shop)}, Dropoff: dispatch.Place{Address: to.String()},
		Load: fleet.Load{LengthMM: 300, WidthMM: 250, HeightMM: 150, Grams: 1500}, OrderValue: 1700,
		Personal: people,
	})
	if err != nil {
		return delivery.Delivery{}, err
	}
	return d.people.Accept(ctx, shopID, external, delivery.AcceptRequest{})
}

// clerk stands in the shop. He loads what nobody else loads, and takes back what comes
// back; for orders that a visitor has nothing to do with he is at the door, too.
func (d *demo) clerk(ctx context.Context) {
	q := delivery.BoardQuery{Partner: shopID, Market: d.Market.ID, States: []delivery.State{delivery.AtPickup, delivery.AtDropoff, delivery.AtReturn}, Limit: restapi.MaxPage}
	var mu sync.Mutex
	busy := map[delivery.ID]delivery.State{}
	var all sync.WaitGroup
	defer all.Wait()
	for ctx.Err() == nil {
		err := d.people.WatchBoard(ctx, q, func(n restapi.BoardNews) error {
			if n.Delivery == nil {
				return nil
			}
			got := *n.Delivery
			mu.Lock()
			defer mu.Unlock()
			if busy[got.ID] != got.State {
				busy[got.ID] = got.State
				all.Go(func() { d.attend(ctx, got) })
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			d.Log.Info("the shop's clerk does not see the board; he looks again", "error", err)
			pause(ctx, 2*time.Second)
		}
	}
}

// How long the clerk lets a visitor do what he could do himself.
const (
	patience = 90 * time.Second
	walk     = 8 * time.Second // to the robot
)

// attend does what is to be done at a robot that waits.
func (d *demo) attend(ctx context.Context, got delivery.Delivery) {
	ask, wait := delivery.HandoffRequest{Want: task.WantOpen, Staff: true}, walk+rand.N(walk)
	visitors := !strings.HasPrefix(got.ExternalID, byItself)
	switch got.State {
	case delivery.AtPickup:
		ask.Purpose = task.Load
		if visitors && !d.visitor.ordered(got.ExternalID) {
			wait = patience // a visitor is in the shop, and may want to do it
		}
	case delivery.AtReturn:
		ask.Purpose = task.Return
		if visitors {
			wait = patience
		}
	default:
		if visitors {
			return // nobody but the recipient opens it there
		}
		ask.Purpose, ask.Staff, ask.PIN = task.Unload, false, got.UnloadPIN
	}
	for tries := 0; tries < 30 && pause(ctx, wait); tries++ {
		now, _, err := d.people.Get(ctx, shopID, got.ExternalID)
		if err == nil && now.State != got.State {
			return // it is done: the lid shuts by itself, and some time after the exchange is over
		}
		if wait = 5 * time.Second; err == nil && d.people.Handoff(ctx, got.ID, ask) == nil {
			wait = 40 * time.Second // or the lid is jammed, and he tries again
		}
	}
}
