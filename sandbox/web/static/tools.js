// The simulators: the bot, the providers, faults, and the traffic, as tabs.

import { drawBot } from "./bot.js";
import { el } from "./dom.js";
import { drawPeople, drawProviders } from "./providers.js";
import { drawSlack } from "./slack.js";
import { onChange } from "./store.js";
import { drawTraffic } from "./traffic.js";

const TABS = {
  Providers: [["bot", "provider/"], (panel) => drawAll(panel, drawBot, drawProviders)],
  People: [["provider/"], (panel) => drawAll(panel, drawPeople)],
  Traffic: [["traffic", "slack"], (panel) => drawAll(panel, drawSlack, drawTraffic)],
};
let current = "Providers";

/** Build the tabs and keep the open one as the stream says. */
export function startTools() {
  const tools = document.getElementById("tools");
  const tabs = Object.keys(TABS).map((name) => {
    const attributes = { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tool", "data-key": name };
    return el("button", { ...attributes, onclick: () => show(name), onkeydown: (event) => step(event, name) }, name);
  });
  const panel = el("div", { id: "tool", role: "tabpanel", tabindex: "0" });
  tools.replaceChildren(el("h2", { id: "tools-title" }, "Simulators"), el("div", { role: "tablist", class: "tabs", "aria-label": "Simulators" }, tabs), panel);
  for (const [name, [prefixes, draw]] of Object.entries(TABS)) {
    onChange(prefixes, () => name === current && draw(panel));
  }
  show(current);
}

function show(name) {
  current = name;
  for (const tab of document.querySelectorAll("#tools [role=tab]")) {
    const chosen = tab.dataset.key === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
  const panel = document.getElementById("tool");
  if (panel.getAttribute("aria-labelledby") === `tab-${name}`) return;
  panel.setAttribute("aria-labelledby", `tab-${name}`);
  panel.replaceChildren();
  TABS[name][1](panel);
}

function step(event, name) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const names = Object.keys(TABS);
  const next = names[(names.indexOf(name) + by + names.length) % names.length];
  show(next);
  document.getElementById(`tab-${next}`).focus();
}

function drawAll(panel, ...draws) {
  if (panel.children.length !== draws.length) panel.replaceChildren(...draws.map(() => el("div")));
  draws.forEach((draw, index) => draw(panel.children[index]));
}
