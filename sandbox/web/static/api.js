// Calls of the control API, and the messages about their failures.

import { el } from "./dom.js";

/** Post JSON to the control API. Return the answer; throw an Error with its words if it is refused. */
export async function post(path, body) {
  const response = await fetch(`/_control/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Upload a file as a person. Return its id. */
export async function upload(user, file) {
  const query = new URLSearchParams({ user, name: file.name });
  const response = await fetch(`/_control/upload?${query}`, { method: "POST", body: file });
  return (await response.json()).id;
}

/** Return the bodies of a call in the traffic. */
export async function readTraffic(id) {
  return (await fetch(`/_control/traffic/${id}`)).json();
}

/** Deliver what a person did, and alert them if the app didn't acknowledge it. Return the acknowledgement. */
export async function deliver(path, body) {
  try {
    const ack = await post(path, body);
    // Slackbot reports a failed command itself.
    if (path !== "command" && ack && ack.status !== undefined && (ack.status !== 200 || ack.error)) {
      alertPerson(`Rollcall didn't answer as Slack needs it: ${ack.error || `HTTP ${ack.status}`}`);
    }
    return ack;
  } catch (problem) {
    alertPerson(problem.message);
    return null;
  }
}

/** Show an error until it is dismissed. */
export function alertPerson(text) {
  const box = el("div", { class: "alert-box" }, el("span", {}, text));
  box.append(el("button", { type: "button", "aria-label": "Dismiss", onclick: () => box.remove() }, "✕"));
  // A modal dialog makes the rest of the page inert, so the alert goes into it.
  const place = [...document.querySelectorAll("dialog[open] .dialog-alerts")].at(-1);
  (place ?? document.getElementById("alerts")).replaceChildren(box);
}

/** Say something to screen readers only. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}
