// Publishes and consumes through the gRPC server, as a program in another language does. Prints one JSON object a line.
//
//   node client.js <address> <proto> publish   <topic> <event type> <count>
//   node client.js <address> <proto> consume   <topic> <group> <count>     acknowledges; nacks what says so, once
//   node client.js <address> <proto> answer    <topic> <group> <count>     answers requests with twice their number
//   node client.js <address> <proto> ask       <topic> <number>
//   node client.js <address> <proto> replay    <topic> <from>
//
// The token is read from TITAN_BUS_TOKEN, a CA's certificate for TLS from the file in TITAN_BUS_CA.
'use strict';

const fs = require('node:fs');
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [address, proto, command, topic, ...rest] = process.argv.slice(2);
const definition = protoLoader.loadSync(proto, { longs: Number, enums: String, defaults: true });
const { Bus } = grpc.loadPackageDefinition(definition).titan.bus.v1;
const credentials = process.env.TITAN_BUS_CA
  ? grpc.credentials.createSsl(fs.readFileSync(process.env.TITAN_BUS_CA))
  : grpc.credentials.createInsecure();
const bus = new Bus(address, credentials);
const metadata = new grpc.Metadata();
if (process.env.TITAN_BUS_TOKEN) metadata.set('authorization', `Bearer ${process.env.TITAN_BUS_TOKEN}`);

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function call(method, request, options = {}) {
  return new Promise((resolve, reject) => {
    bus[method](request, metadata, options, (error, reply) => (error ? reject(error) : resolve(reply)));
  });
}

async function publish(eventType, count) {
  for (let number = 0; number < Number(count); number += 1) {
    const payloadJson = JSON.stringify({ number, text: 'Привет, 🚌' });
    print(await call('Publish', { topic, eventType, payloadJson, priority: 'PRIORITY_HIGH' }));
  }
}

// `handle` returns what is written for an event: acks or nacks. Ends when `count` events were acknowledged.
function subscribe(group, count, handle) {
  return new Promise((resolve, reject) => {
    const stream = bus.Subscribe(metadata);
    let missing = Number(count);
    stream.on('data', ({ events }) => {
      for (const event of events) {
        print({ ...event, payload: JSON.parse(event.payloadJson) });
        const outcome = handle(event);
        stream.write(outcome);
        missing -= (outcome.acks || []).length;
      }
      if (missing === 0) stream.end();
    });
    stream.on('error', reject);
    stream.on('end', resolve);
    stream.write({ subscription: { topic, group, concurrency: 4 } });
  });
}

const consume = (group, count) => subscribe(group, count, ({ eventId, payloadJson, meta }) =>
  JSON.parse(payloadJson).failOnce && meta.retries === 0
    ? { nacks: [{ eventId, reason: 'not this time' }] }
    : { acks: [{ eventId }] });

const answer = (group, count) => subscribe(group, count, ({ eventId, payloadJson }) =>
  ({ acks: [{ eventId, resultJson: JSON.stringify({ twice: JSON.parse(payloadJson).number * 2 }) }] }));

async function ask(number) {
  const payloadJson = JSON.stringify({ number: Number(number) });
  const deadline = Date.now() + 10_000;
  print(await call('Request', { topic, eventType: 'double', payloadJson }, { deadline }));
}

function replay(fromTimestamp) {
  return new Promise((resolve, reject) => {
    const stream = bus.Replay({ topic, fromTimestamp }, metadata);
    stream.on('data', print);
    stream.on('error', reject);
    stream.on('end', resolve);
  });
}

({ publish, consume, answer, ask, replay })[command](...rest)
  .catch((error) => {
    const reason = error.metadata ? error.metadata.get('titan-bus-reason')[0] : undefined;
    print({ code: error.code, reason, message: error.details || error.message });
    process.exitCode = 1;
  })
  .finally(() => bus.close());
