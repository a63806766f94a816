// Messages: one by one, and lists of them that keep the nodes of messages that didn't change.

import { deliver } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { confirmed } from "./confirm.js";
import { clock } from "./dates.js";
import { el, menu } from "./dom.js";
import { move, part, person, place } from "./store.js";
import { mrkdwn } from "./text.js";

/** Draw messages into a list. A message that didn't change keeps its node, and with it the focus. */
export function drawMessages(list, messages, channel, inThread) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const known = new Map([...list.children].map((node) => [node.dataset.ts, node]));
  let before = null;
  for (const message of messages) {
    const json = JSON.stringify([message, inThread]);
    let node = known.get(message.ts);
    known.delete(message.ts);
    if (!node) node = drawMessage(message, channel, inThread, json);
    else if (node.json !== json) node = replaced(node, drawMessage(message, channel, inThread, json));
    if ((before ? before.nextSibling : list.firstChild) !== node) list.insertBefore(node, before ? before.nextSibling : list.firstChild);
    before = node;
  }
  for (const node of known.values()) node.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function replaced(old, fresh) {
  const key = old.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  old.replaceWith(fresh);
  if (key !== undefined) fresh.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  return fresh;
}

function drawMessage(message, channel, inThread, json) {
  const author = person(message.user);
  const name = author?.real_name ?? "Slackbot";
  const surface = {
    kind: "message",
    async act(element, value, question) {
      if (!(await confirmed(question))) return;
      await deliver("click", { user: place.user, channel, message_ts: message.ts, name: element, value: value ?? null });
    },
  };
  const content = message.blocks?.length > 0 ? drawBlocks(message.blocks, surface) : message.text && el("div", { class: "text" }, mrkdwn(message.text));
  const node = el(
    "li",
    { class: `message ${message.is_ephemeral ? "ephemeral" : ""}`, "data-ts": message.ts },
    el("div", { class: `avatar ${author?.is_bot ? "app" : ""}`, "aria-hidden": "true" }, initials(name)),
    el(
      "div",
      { class: "message-body" },
      el(
        "div",
        { class: "message-head" },
        el("strong", {}, name),
        author?.is_bot && el("span", { class: "badge" }, "APP"),
        el("time", { datetime: new Date(message.ts * 1000).toISOString() }, clock(message.ts)),
        message.edited && el("span", { class: "note" }, "(edited)"),
        message.is_ephemeral && el("span", { class: "note" }, "👁 Only visible to you"),
        !message.is_ephemeral && !inThread && actionsMenu(message, channel),
      ),
      content,
      (message.files ?? []).map(file),
      !inThread && message.reply_count > 0 && replies(message),
    ),
  );
  node.json = json;
  return node;
}

function actionsMenu(message, channel) {
  const shortcuts = part("about").shortcuts.filter((each) => each.type === "message");
  const items = [
    { text: "Reply in thread", id: `${message.ts}/reply`, run: () => move({ thread: message.ts }) },
    ...shortcuts.map((each) => ({
      text: each.name,
      description: each.description,
      id: `${message.ts}/${each.callback_id}`,
      run: () => deliver("shortcut", { user: place.user, callback_id: each.callback_id, channel, message_ts: message.ts }),
    })),
  ];
  return menu("More actions", "⋯", items, `${message.ts}/menu`);
}

function replies(message) {
  const text = message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`;
  const open = () => move({ thread: message.ts });
  return el("button", { type: "button", class: "replies", "data-key": `${message.ts}/replies`, onclick: open }, `💬 ${text}`);
}

function file(shared) {
  const size = shared.size < 1024 ? `${shared.size} bytes` : `${Math.round(shared.size / 1024)} KB`;
  return el("div", { class: "file" }, "📄 ", el("a", { href: `/_control/file/${shared.id}`, download: shared.name }, shared.title), ` · ${size}`);
}

function initials(name) {
  return name.split(" ").map((word) => word[0]).join("").slice(0, 2);
}
