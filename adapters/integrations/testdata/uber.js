// What a partner would write with Uber Direct's own client: quote, create, look, list, change, cancel.
// BASE is our address. The client has the address where tokens are had in its code, so that host alone is led to us.
const { getAccessToken } = require('uber-direct/auth');
const { createDeliveriesClient } = require('uber-direct/deliveries');

const base = process.env.BASE;
const through = globalThis.fetch;
globalThis.fetch = (url, options) => through(String(url).replace('https://login.uber.com', base), options);

const told = [];
const tell = (step, answer) => told.push({ step, answer });
const fail = (step, e) => told.push({ step, error: e.code || e.message, status: e.status, metadata: e.metadata || null });

const customer = (token, id) => {
  const client = createDeliveriesClient(token, id);
  client.baseURL = `${base}/v1/customers/${id}`;
  return client;
};

async function main() {
  const token = await getAccessToken();
  const client = customer(token, process.env.CUSTOMER);
  const way = {
    pickup_address: JSON.stringify({ street_address: ['1 Quay'], city: 'Port Ellery', state: 'WA', zip_code: '98101', country: 'US' }),
    dropoff_address: JSON.stringify({ street_address: ['14 Quay', 'Floor 2'], city: 'Port Ellery', state: 'WA', zip_code: '98101', country: 'US' }),
  };
  const quote = await client.createQuote(way);
  tell('quote', quote);
  const order = {
    ...way,
    quote_id: quote.id,
    pickup_name: 'Store Name',
    pickup_phone_number: '+14155551212',
    dropoff_name: 'Customer Name',
    dropoff_phone_number: '+14155551212',
    manifest_items: [
      { name: 'iPhone', quantity: 1, size: 'small', price: 1000, dimensions: { length: 20, height: 7, depth: 15 }, must_be_upright: false, weight: 300 },
      { name: 'iPad', quantity: 1, size: 'medium' },
    ],
    external_id: 'EI-1',
    tip: 500,
    test_specifications: { robo_courier_specification: { mode: 'auto' } },
  };
  const made = await client.createDelivery(order);
  tell('create', made);
  tell('again', await client.createDelivery(order));
  tell('get', await client.getDelivery(made.id));
  tell('list', (await client.listDeliveries({ limit: 10, filter: 'pending' })).data[0]);
  tell('update', await client.updateDelivery(made.id, { dropoff_notes: 'Call when you arrive', tip_by_customer: 600 }));
  tell('cancel', await client.cancelDelivery(made.id));
  await client.createDelivery({ ...order, external_id: 'EI-2' }).catch((e) => fail('used', e));
  await client.createDelivery({ ...order, external_id: 'EI-1', quote_id: undefined, tip: 1 }).then((d) => tell('afresh', d));
  await client.createDelivery({ ...order, external_id: 'EI-1', quote_id: undefined, tip: 2 }).catch((e) => fail('duplicate', e));
  await client.getDelivery('del_none').catch((e) => fail('unknown', e));
  await client.createQuote({ pickup_address: way.pickup_address }).catch((e) => fail('invalid', e));
  await client.proofOfDelivery(made.id, { waypoint: 'dropoff', type: 'picture' }).catch((e) => fail('proof', e));
  await customer(token, 'other').getDelivery(made.id).catch((e) => fail('elsewhere', e));
  await customer('not-a-token', process.env.CUSTOMER).getDelivery(made.id).catch((e) => fail('stranger', e));
  process.stdout.write(JSON.stringify(told));
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
