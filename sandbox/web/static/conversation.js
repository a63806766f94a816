// The middle of the page: a channel or the app's direct messages with its Home tab, and a thread beside it.

import { deliver } from "./api.js";
import { composer, propose } from "./composer.js";
import { el } from "./dom.js";
import { drawHome, forgetHome } from "./home.js";
import { drawMessages } from "./messages.js";
import { me, move, onChange, part, place } from "./store.js";

const EXAMPLES = [
  "/wa-add wasend-team +1 415 555 0101, +1 415 555 0103",
  "/wa-add wuts-team +1 415 555 0101 reason: launch party",
  "/wa-add",
  "/wa help",
];
let shown = "";
let shownThread = "";

/** Keep the conversation and the thread as the stream says. */
export function startConversation() {
  onChange(["channels", "messages/", "home"], () => {
    drawConversation();
    drawThread();
  });
}

function channelNow() {
  return part("channels").find((each) => each.id === place.channel);
}

/** Return a channel's name as a person sees it. */
export function channelTitle(channel) {
  return channel.kind === "im" ? "Rollcall" : `${channel.kind === "groups" ? "🔒" : "#"}${channel.name}`;
}

function drawConversation() {
  const section = document.getElementById("conversation");
  const channel = channelNow();
  if (!channel) return;
  const key = JSON.stringify([place.user, channel.id, place.home]);
  if (key !== shown) {
    shown = key;
    forgetHome();
    section.replaceChildren(...frame(channel));
    if (place.home) deliver("home", { user: place.user });
  }
  if (place.home) return void drawHome();
  const tops = (part(`messages/${channel.id}`) ?? []).filter((each) => !each.thread_ts || each.thread_ts === each.ts);
  drawMessages(section.querySelector(".messages"), tops, channel.id, false);
  section.querySelector(".start").hidden = tops.length > 0;
}

function frame(channel) {
  const title = el("h2", { id: "conversation-title" }, channelTitle(channel));
  const head = el("div", { class: "conversation-head" }, title, channel.kind === "im" && tabs());
  if (place.home) return [head, drawHome()];
  const label = channel.kind === "im" ? "Message Rollcall" : `Message ${channelTitle(channel)}`;
  return [
    head,
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Messages in ${channelTitle(channel)}` },
      start(channel),
      el("ol", { class: "messages", "aria-live": "polite", "aria-relevant": "additions" }),
    ),
    composer({ channel: channel.id, names: label, id: "composer-text" }),
  ];
}

function start(channel) {
  const examples = EXAMPLES.map((text) => el("button", { type: "button", class: "example", onclick: () => propose(text) }, text));
  return el(
    "div",
    { class: "start", hidden: true },
    el("p", {}, `This is the start of ${channelTitle(channel)}. You are ${me().real_name} (${me().title}). Try a command:`),
    examples,
    el("p", { class: "note" }, "Requests for wuts-team need the approval of a lead: switch to Bob Baker to decide."),
  );
}

function tabs() {
  const tab = (label, home) =>
    el("button", { type: "button", "aria-current": place.home === home ? "true" : null, "data-key": label, onclick: () => move({ home, thread: "" }) }, label);
  return el("div", { class: "tabs" }, tab("Home", true), tab("Messages", false));
}

function drawThread() {
  const section = document.getElementById("thread");
  const messages = (part(`messages/${place.channel}`) ?? []).filter((each) => each.ts === place.thread || each.thread_ts === place.thread);
  section.hidden = !place.thread || place.home;
  document.body.toggleAttribute("data-thread", !section.hidden);
  if (section.hidden) {
    section.replaceChildren();
    shownThread = "";
    return;
  }
  const key = JSON.stringify([place.user, place.channel, place.thread]);
  if (key !== shownThread) {
    const moved = !shownThread.endsWith(JSON.stringify([place.channel, place.thread]).slice(1));
    shownThread = key;
    const close = () => {
      const opener = document.querySelector(`#conversation [data-key="${CSS.escape(`${place.thread}/replies`)}"]`);
      move({ thread: "" });
      opener?.focus();
    };
    section.replaceChildren(
      el(
        "div",
        { class: "conversation-head" },
        el("h2", { id: "thread-title", tabindex: "-1" }, "Thread"),
        el("button", { type: "button", "aria-label": "Close thread", onclick: close }, "✕"),
      ),
      el(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Messages in the thread" },
        el("ol", { class: "messages", "aria-live": "polite", "aria-relevant": "additions" }),
      ),
      composer({ channel: place.channel, thread: place.thread, names: "Reply in thread", id: "thread-text" }),
    );
    if (moved) section.querySelector("h2").focus();
  }
  drawMessages(section.querySelector(".messages"), messages, place.channel, true);
}
