// The simulated providers: groups and members as they really are, account state and faults.

import { alertPerson, post } from "./api.js";
import { choice, chosen, drawIfChanged } from "./cards.js";
import { el, newId } from "./dom.js";
import { part } from "./store.js";

const NAMES = { wacr: "WA.cr", wagateway: "WhatsApp Gateway", wasend: "Wasend", wuts: "WUTS", twochat: "2Chat" };
const ACCOUNTS = ["connected", "disconnected", "restricted"].map((state) => [state, state]);
const SPEEDS = [["0", "normal"], ["2", "2 s a call"], ["10", "10 s a call"]];
const FAULTS = {
  none: ["No faults", null],
  limited: ["Too many requests (429)", { status: 429, headers: { "Retry-After": "2" } }],
  rejected: ["Rejected requests (400)", { status: 400 }],
  broken: ["Server error (503)", { status: 503 }],
  lost: ["Lost answers (done, but not answered)", { status: -1, when: "after" }],
  hang: ["No answer until the client gives up", { status: 0 }],
};
const FOREVER = "until switched off";
const TIMES = [["1", "once"], ["3", "3 times"], ["-1", FOREVER]];
const ANSWERS = {
  open: "can be added",
  private: "refuses (privacy)",
  no_account: "isn't on WhatsApp",
  recently_left: "left recently",
  blocked: "has blocked the account",
};

/** Draw a card for each provider. */
export function drawProviders(node) {
  const names = part("about")?.providers ?? [];
  if (node.children.length !== names.length) node.replaceChildren(...names.map(() => el("section", { class: "card" })));
  names.forEach((name, index) => {
    const provider = part(`provider/${name}`);
    if (provider) drawIfChanged(node.children[index], provider, () => card(provider));
  });
}

function card(provider) {
  const { name } = provider;
  const fault = faultOf(provider);
  return [
    el("h3", {}, NAMES[name] ?? name),
    el("p", { class: "note" }, `${provider.account === "connected" ? "🟢" : "🔴"} Account ${provider.account}${fault ? ` · ⚠️ ${fault}` : ""}${provider.latency ? ` · 🐢 ${provider.latency} s` : ""}`),
    provider.groups.map((group) => groupDetails(name, group)),
    provider.sent.length > 0 && sentTexts(name, provider.sent),
    el("details", { "data-key": `${name}/faults` }, el("summary", { "data-key": `${name}/faults-summary` }, "Account and faults"), switches(provider)),
  ];
}

function faultOf(provider) {
  const fault = provider.faults[0];
  if (!fault) return "";
  const found = Object.values(FAULTS).find(([, body]) => body && body.status === fault.status);
  return `${found?.[0] ?? `HTTP ${fault.status}`}, ${fault.times < 0 ? FOREVER : `${fault.times} more`}`;
}

function groupDetails(name, group) {
  const members = group.members.map((each) => el("li", {}, `+${each.phone}`, each.role === "admin" && el("span", { class: "badge" }, "ADMIN")));
  const facts = [
    group.description && `Description: ${group.description}`,
    group.announce_only && "Only admins can send",
    group.locked && "Only admins can edit the info",
    group.ephemeral > 0 && `Messages disappear after ${group.ephemeral} s`,
    group.awaiting.length > 0 && `Waiting for an admin: ${group.awaiting.map((phone) => `+${phone}`).join(", ")}`,
  ].filter(Boolean);
  const admin = el("input", {
    type: "checkbox",
    checked: group.account_is_admin,
    "data-key": `${name}/${group.id}/admin`,
    onchange: () => change(name, { account_is_admin: { [group.id]: admin.checked } }),
  });
  const title = `${group.alias || group.subject} · ${group.members.length} ${group.members.length === 1 ? "member" : "members"}`;
  return el(
    "details",
    { "data-key": `${name}/${group.id}` },
    el("summary", { "data-key": `${name}/${group.id}/summary` }, title),
    el("p", { class: "note" }, `${group.subject} · ${group.id}`),
    facts.map((fact) => el("p", {}, fact)),
    el("ul", { class: "members" }, members),
    el("label", { class: "choice" }, admin, el("span", {}, "The account is an admin of the group")),
  );
}

function sentTexts(name, sent) {
  return el(
    "details",
    { "data-key": `${name}/sent` },
    el("summary", { "data-key": `${name}/sent-summary` }, `Sent texts · ${sent.length}`),
    el("ul", {}, sent.map((each) => el("li", {}, `${each.to}: ${each.text}`))),
  );
}

function switches(provider) {
  const { name } = provider;
  const account = choice(`${name}/account`, "Account", ACCOUNTS, provider.account, (value) => change(name, { account: value }));
  const slow = choice(`${name}/latency`, "Speed", SPEEDS, String(provider.latency), (value) => change(name, { latency: Number(value) }));
  const kinds = Object.entries(FAULTS).map(([key, [label]]) => [key, label]);
  const kind = choice(`${name}/kind`, "Fault", kinds, "none");
  const times = choice(`${name}/times`, "How often", TIMES, "1");
  const id = newId("match");
  const match = el("input", { id, type: "text", value: "POST", "data-key": `${name}/match`, "data-kept": true });
  const apply = () => {
    const fault = FAULTS[chosen(kind)][1];
    change(name, { faults: fault ? [{ ...fault, times: Number(chosen(times)), match: match.value }] : [] });
  };
  return [
    account,
    slow,
    kind,
    times,
    el("label", { for: id }, "Calls that contain"),
    match,
    el("div", { class: "actions" }, el("button", { type: "button", class: "button", "data-key": `${name}/apply`, onclick: apply }, "Set fault")),
  ];
}

async function change(name, body) {
  try {
    await post(`provider/${name}`, body);
  } catch (problem) {
    alertPerson(problem.message);
  }
}

/** Draw the people, and a form that changes how WhatsApp answers for a number. */
export function drawPeople(node) {
  const names = part("about")?.providers ?? [];
  const people = part(`provider/${names[0]}`)?.people ?? [];
  drawIfChanged(node, people, () => [
    el("h3", {}, "How WhatsApp answers"),
    el("p", { class: "note" }, "Any other number can be added."),
    el("ul", { class: "members" }, people.map((each) => el("li", {}, `+${each.phone} `, el("span", { class: "note" }, ANSWERS[each.answer])))),
    personForm(),
  ]);
}

function personForm() {
  const id = newId("phone");
  const phone = el("input", { id, type: "tel", "data-key": "person/phone", "data-kept": true, placeholder: "+1 415 555 0123", autocomplete: "off" });
  const answer = choice("person/answer", "WhatsApp's answer", Object.entries(ANSWERS), "private");
  const submit = async (event) => {
    event.preventDefault();
    try {
      await post("person", { phone: phone.value, answer: chosen(answer) });
    } catch (problem) {
      alertPerson(problem.message);
    }
  };
  return el("form", { class: "card", onsubmit: submit }, el("label", { for: id }, "Phone number"), phone, answer, el("button", { type: "submit", class: "button" }, "Save"));
}
