// What a partner would write with its own client: quote, accept, look, cancel.
// BASE is our address; KEY is the token context that the client signs with.
const axios = require('axios');
const { DoorDashClient } = require('@doordash/sdk');

axios.defaults.baseURL = process.env.BASE;
const client = new DoorDashClient(JSON.parse(process.env.KEY));
const told = [];
const tell = (step, r) => told.push({ step, status: r.status, delivery: r.data });
const fail = (step, e) => told.push({ step, error: e.constructor.name, code: e.code || e.errorCode || null, message: e.message });

async function main() {
  const order = {
    external_delivery_id: 'SDK-1',
    pickup_address: '1 Quay, Port Ellery',
    pickup_phone_number: '+1(650)5555555',
    dropoff_address: '14 Quay, Port Ellery',
    dropoff_phone_number: '+12065550123',
    order_value: 1999,
    tip: 500,
    items: [{ name: 'soup', quantity: 2, weight: 1.5 }],
  };
  tell('quote', await client.deliveryQuote(order));
  tell('accept', await client.deliveryQuoteAccept('SDK-1', { tip: 600 }));
  tell('get', await client.getDelivery('SDK-1'));
  tell('update', await client.updateDelivery('SDK-1', { dropoff_instructions: 'blue door' }));
  tell('cancel', await client.cancelDelivery('SDK-1'));
  tell('create', await client.createDelivery({ ...order, external_delivery_id: 'SDK-2' }));
  await client.getDelivery('SDK-3').catch((e) => fail('unknown', e));
  await client.deliveryQuote({ ...order, tip: 1 }).catch((e) => fail('duplicate', e));
  await client.deliveryQuote({ external_delivery_id: 'SDK-4' }).catch((e) => fail('invalid', e));
  const stranger = new DoorDashClient({ ...JSON.parse(process.env.KEY), key_id: 'a1b2c3d4-0000-4000-8000-000000000000' });
  await stranger.getDelivery('SDK-1').catch((e) => fail('stranger', e));
  process.stdout.write(JSON.stringify(told));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
