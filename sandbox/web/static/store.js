// What the server last sent, part by part, and the place where this person is.

const parts = new Map();
const listeners = [];
let stream = null;
let dirty = new Set();

export const place = { user: "", channel: "", thread: "", home: false };

/** Return a part of the state, undefined before it has arrived. */
export function part(name) {
  return parts.get(name);
}

/** Call `render` after any part whose name begins with one of these prefixes has changed, and after every move. */
export function onChange(prefixes, render) {
  listeners.push({ prefixes, render });
}

/** Read the stream of a person. */
export function connect(user) {
  stream?.close();
  parts.clear();
  place.user = user;
  stream = new EventSource(`/_control/stream?${new URLSearchParams({ user })}`);
  stream.onmessage = (event) => {
    const { name, value } = JSON.parse(event.data);
    parts.set(name, value);
    schedule(name);
  };
  stream.onopen = () => document.body.removeAttribute("data-offline");
  stream.onerror = () => document.body.setAttribute("data-offline", "");
}

/** Go to another channel, thread or person. */
export function move(changes) {
  Object.assign(place, changes);
  const { user, channel, thread, home } = place;
  const kept = Object.entries({ user, channel, thread, home: home ? "1" : "" }).filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
  schedule("place");
}

/** Return the place that the address names. */
export function placeInAddress() {
  const query = new URLSearchParams(location.hash.slice(1));
  return { user: query.get("user"), channel: query.get("channel"), thread: query.get("thread") ?? "", home: query.has("home") };
}

/** Return the person who is using the page. */
export function me() {
  return person(place.user);
}

/** Return a person of the workspace. */
export function person(id) {
  return part("about")?.people.find((each) => each.id === id);
}

function schedule(name) {
  if (dirty.size === 0) setTimeout(render);
  dirty.add(name);
}

function render() {
  const changed = [...dirty];
  dirty = new Set();
  if (!part("about") || !part("channels")) return;
  for (const { prefixes, render: run } of listeners) {
    const concerned = changed.some((name) => name === "about" || name === "place" || prefixes.some((p) => name.startsWith(p)));
    if (concerned) run();
  }
}
