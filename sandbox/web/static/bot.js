// The bot: the real process, which can be killed and started.

import { alertPerson, post } from "./api.js";
import { drawIfChanged } from "./cards.js";
import { el } from "./dom.js";
import { part } from "./store.js";

/** Draw the bot's card. */
export function drawBot(node) {
  if (!part("about")) return;
  const bot = part("bot");
  drawIfChanged(node, bot ?? null, () => [el("h3", {}, "Rollcall"), bot ? controls(bot) : elsewhere()]);
}

function elsewhere() {
  return el("p", { class: "note" }, "The bot runs elsewhere, so it can't be killed here.");
}

function controls(bot) {
  const running = bot.state === "running" || bot.state === "starting";
  const transport = bot.transport === "socket" ? "Socket Mode" : "signed HTTP";
  const state = { running: "🟢 Running", starting: "🟡 Starting", killed: "🔴 Killed", stopped: "🔴 Stopped" }[bot.state];
  const button = (label, body) => el("button", { type: "button", class: "button", "data-key": label, onclick: () => change(body) }, label);
  return [
    el("p", { "aria-live": "polite" }, running ? `${state}, process ${bot.pid}, over ${transport}.` : `${state}.`),
    el(
      "div",
      { class: "actions" },
      running
        ? button("Kill the bot", { action: "kill" })
        : [button("Start over HTTP", { action: "start", transport: "http" }), button("Start in Socket Mode", { action: "start", transport: "socket" })],
    ),
  ];
}

async function change(body) {
  try {
    await post("bot", body);
  } catch (problem) {
    alertPerson(problem.message);
  }
}
