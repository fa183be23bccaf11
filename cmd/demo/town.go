package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/core/maps"
)

// partner orders at the partners' door, in the words of Drive v2 and with tokens that it signs itself
// (DD-JWT-V1), as a food platform would.
func (d *demo) partner(ctx context.Context) {
	client := &http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for n := 1; pause(ctx, spread(d.every())); n++ {
		if err := d.bite(ctx, client, n); err != nil && ctx.Err() == nil {
			d.Log.Info("an order of the partner did not come about", "error", err)
		}
	}
}

// spread returns a wait of that length in the mean, as between things that have nothing to do with each other.
func spread(mean time.Duration) time.Duration {
	return min(time.Duration(rand.ExpFloat64()*float64(mean)), 4*mean)
}

// bite asks for one delivery: a quote first, then its acceptance.
func (d *demo) bite(ctx context.Context, client *http.Client, n int) error {
	from, to, ok := d.trip()
	if !ok {
		return fmt.Errorf("the city has no shops")
	}
	id := fmt.Sprintf("bites-%d-%d", time.Now().Unix(), n)
	body, err := json.Marshal(map[string]any{
		"external_delivery_id": id,
		"pickup_address":       d.address(from), "pickup_business_name": from.Name, "pickup_phone_number": "+12065550100",
		"dropoff_address": to.String(), "dropoff_phone_number": "+12065550123", "dropoff_contact_given_name": "Ada",
		"order_value": 1200 + 100*rand.IntN(40),
		"items":       []map[string]any{{"name": "Lunch", "quantity": 1 + rand.IntN(3), "weight": 1.1, "length": 5, "width": 5, "height": 4}},
	})
	if err != nil {
		return err
	}
	if err := d.door(ctx, client, "/drive/v2/quotes", body); err != nil {
		return err
	}
	return d.door(ctx, client, "/drive/v2/quotes/"+id+"/accept", []byte(`{}`))
}

// door makes a call of the partner.
func (d *demo) door(ctx context.Context, client *http.Client, path string, body []byte) error {
	now := time.Now().Unix()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "doordash", "iss": d.key.Developer, "kid": d.key.ID, "iat": now, "exp": now + 300})
	t.Header["dd-ver"] = "DD-JWT-V1"
	token, err := t.SignedString(d.key.Secret.Bytes())
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.service("integrations").String()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	a, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = a.Body.Close() }() // it was read
	text, err := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	if err == nil && a.StatusCode >= http.StatusBadRequest {
		var why struct {
			Code string `json:"code"`
		}
		if json.Unmarshal(text, &why) != nil {
			why.Code = "unreadable"
		}
		return fmt.Errorf("the door answered %d %s", a.StatusCode, why.Code)
	}
	return err
}

// trip draws a shop and an address that is not far from it.
func (d *demo) trip() (from maps.Merchant, to maps.Address, ok bool) {
	n := d.Network
	if len(n.Merchants) == 0 || len(n.Addresses) == 0 {
		return from, to, false
	}
	from = n.Merchants[rand.IntN(len(n.Merchants))]
	return from, d.near(from.Point), true
}

// near draws an address within a short drive.
func (d *demo) near(p maps.Point) maps.Address {
	const closest, farthest, tries = 200_000, 900_000, 200 // mm
	n := d.Network
	to := n.Addresses[rand.IntN(len(n.Addresses))]
	for range tries {
		if far := maps.Distance(p, to.Point); far > closest && far < farthest {
			break
		}
		to = n.Addresses[rand.IntN(len(n.Addresses))]
	}
	return to
}

// address is where a shop is.
func (d *demo) address(m maps.Merchant) string {
	if m.Address < 0 {
		return m.Name
	}
	return d.Network.Addresses[m.Address].String()
}
