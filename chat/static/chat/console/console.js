/* The console: signs in, opens a socket, sends commands of the catalogue, shows what is said. */

import { Connection } from "./connection.js";
import { Frames } from "./frames.js";

const at = (id) => document.getElementById(id);
const { asyncapi: documentPath, token: tokenPath, me } = document.body.dataset;

const frames = new Frames(at("frames"), {
  filter: at("filter"),
  beats: at("beats"),
  count: at("count"),
  empty: at("empty"),
  news: at("news"),
});
let catalogue = null;
let connection = null;
let refs = 0;
let room = "";

function uuid() {
  // Version 7: it sorts by time. randomUUID is there on secure origins only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let now = Date.now();
  for (let place = 5; place >= 0; place -= 1) {
    bytes[place] = now % 256;
    now = Math.floor(now / 256);
  }
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function option(value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  return made;
}

async function load() {
  const answer = await fetch(documentPath);
  if (!answer.ok) {
    throw new Error(`The catalogue could not be read (${answer.status}).`);
  }
  catalogue = await answer.json();
  at("channel").replaceChildren(
    ...Object.entries(catalogue.channels).map(([name, one]) => option(name, `${one.address}  ${one.description}`)),
  );
  const commands = Object.keys(catalogue.operations).filter((name) => name.startsWith("all.") && name !== "all.tell");
  at("name").replaceChildren(...commands.map((name) => option(name.slice(4), name.slice(4))));
  askParameters();
  prefill();
  at("go").disabled = false;
}

function askParameters() {
  const channel = catalogue.channels[at("channel").value];
  const fields = Object.entries(channel.parameters ?? {}).flatMap(([name, parameter]) => {
    const label = document.createElement("label");
    label.htmlFor = `parameter-${name}`;
    label.textContent = parameter.description;
    const input = document.createElement("input");
    Object.assign(input, { id: `parameter-${name}`, name, required: true, spellcheck: false });
    return [label, input];
  });
  at("parameters").replaceChildren(...fields);
}

function prefill() {
  const message = catalogue.components.messages[at("name").value];
  const frame = structuredClone(message.examples[0].payload);
  at("says").textContent = message.summary;
  refs += 1;
  frame.ref = `c${refs}`;
  if ("id" in frame) {
    frame.id = uuid();
  }
  if ("room" in frame && room) {
    frame.room = room;
  }
  if (frame.type === "resume" && connection) {
    frame.epoch = connection.epoch;
    frame.cursors = Object.fromEntries(connection.cursors);
  }
  at("frame").value = JSON.stringify(frame, null, 2);
  at("wrong").textContent = "";
}

function renew() {
  const frame = parsed();
  if (!frame) {
    return;
  }
  refs += 1;
  frame.ref = `c${refs}`;
  if ("id" in frame) {
    frame.id = uuid();
  }
  at("frame").value = JSON.stringify(frame, null, 2);
}

function parsed() {
  try {
    at("wrong").textContent = "";
    return JSON.parse(at("frame").value);
  } catch (error) {
    at("wrong").textContent = `This is not JSON: ${error.message}`;
    return null;
  }
}

/* Return what gives a token each time the socket opens: a new one where a password is known, none where a session will do. */
function signIn() {
  const pasted = at("token").value.trim();
  const [username, password] = [at("username")?.value.trim(), at("password")?.value];
  if (me && !pasted && !username) {
    return async () => null;
  }
  if (pasted || !username) {
    return async () => pasted || Promise.reject(new Error("Name yourself, or paste an access token."));
  }
  let pair = null;
  return async () => {
    const [path, body] = pair
      ? [`${tokenPath}refresh/`, { refresh: pair.refresh }]
      : [tokenPath, { username, password, device: "Socket console" }];
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) {
      throw new Error(told.detail);
    }
    pair = told;
    return pair.access;
  };
}

function address() {
  const channel = catalogue.channels[at("channel").value];
  const path = channel.address.replace(/{(\w+)}/g, (whole, name) => encodeURIComponent(at(`parameter-${name}`).value.trim()));
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
}

function connect() {
  connection?.close();
  const mine = new Connection(address(), signIn());
  connection = mine;
  mine.addEventListener("state", (event) => mine === connection && show(event.detail));
  mine.addEventListener("frame", (event) => mine === connection && noted(event.detail));
}

function noted(told) {
  frames.add(told);
  const { frame } = told;
  const first = frame.type === "hello" && Object.keys(frame.heads)[0];
  const known = frame.type === "message.sent" ? frame.room : frame.joined ?? first;
  if (known && !room) {
    room = known;
    at("frame").value.trim() && prefill();
  }
}

function show({ state, user, code, pause, why }) {
  const closes = Object.values(catalogue.channels)[0]["x-close-codes"];
  const meaning = code && (closes[code] ?? { 1000: "as asked", 1006: "the line was lost" }[code] ?? "no reason known");
  const next = pause ? ` Trying again in ${(pause / 1000).toFixed(1)} s.` : "";
  const words = {
    connecting: "Connecting …",
    connected: `Connected as ${user}`,
    refused: "Not signed in",
    closed: `Closed, ${code}: ${meaning}.${next}`,
  };
  at("state").textContent = words[state];
  at("state").dataset.state = pause ? "waiting" : state;
  at("trouble").textContent = why ?? "";
  at("send").disabled = state !== "connected";
  at("disconnect").disabled = state === "refused" || (state === "closed" && !pause);
  if (state === "connected") {
    at("signing-in").open = false;
  }
}

at("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  room = at("parameter-room_id")?.value.trim() ?? "";
  connect();
});
at("disconnect").addEventListener("click", () => {
  const waiting = at("state").dataset.state === "waiting";
  connection?.close();
  if (waiting) {
    show({ state: "closed", code: 1000 });
  }
});
at("command").addEventListener("submit", (event) => {
  event.preventDefault();
  const frame = parsed();
  if (frame && !at("send").disabled) {
    connection.send(frame);
    renew();
  }
});
at("frame").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    at("command").requestSubmit();
  }
});
at("channel").addEventListener("change", askParameters);
at("name").addEventListener("change", prefill);
at("renew").addEventListener("click", renew);
at("clear").addEventListener("click", () => frames.clear());

load().catch((error) => {
  at("trouble").textContent = error.message;
});
