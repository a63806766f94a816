// Slack's text as DOM nodes: mrkdwn, plain text, mentions, links and dates.

import { el } from "./dom.js";
import { slackDate } from "./dates.js";
import { move, part, person } from "./store.js";

const TOKEN =
  /```([\s\S]+?)```|<([^<>\n]+)>|`([^`\n]+)`|(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_\n]*?\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~\n]*?\S)~(?![\w~])/g;
const SAFE_LINK = /^(?:https?:|mailto:|tel:)/i;

/** Return the nodes of a text object. */
export function textObject(object) {
  return object.type === "mrkdwn" ? mrkdwn(object.text) : [document.createTextNode(object.text)];
}

/** Return the nodes of a mrkdwn text, with quotes and line breaks. */
export function mrkdwn(text) {
  const nodes = [];
  for (const piece of text.split(/((?:^(?:>|&gt;).*(?:\n|$))+)/m)) {
    if (/^(?:>|&gt;)/.test(piece)) {
      const inner = piece.replace(/^(?:>|&gt;) ?/gm, "").replace(/\n$/, "");
      nodes.push(el("blockquote", {}, inline(inner)));
    } else if (piece) nodes.push(...inline(piece));
  }
  return nodes;
}

/** Return a link; a link to a message of this workspace opens it here. */
export function link(url, ...content) {
  if (!SAFE_LINK.test(url)) return el("span", {}, content);
  const here = archived(url);
  if (!here) return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, content);
  const open = (event) => {
    event.preventDefault();
    move(here);
  };
  return el("a", { href: url, onclick: open }, content);
}

/** Return the place in this workspace that a permalink names, or null. */
export function archived(url) {
  const found = /^https:\/\/([\w-]+)\.slack\.com\/archives\/(\w+)\/p(\d+)(\d{6})(?:\?(.*))?$/.exec(url);
  if (!found || found[1] !== part("about").domain) return null;
  return { channel: found[2], thread: new URLSearchParams(found[5]).get("thread_ts") ?? `${found[3]}.${found[4]}`, home: false };
}

/** Return a text without Slack's markup, for labels. */
export function plainText(text) {
  const holder = el("span", {}, mrkdwn(text));
  return holder.textContent;
}

/** Return a mention. */
export function mention(name) {
  return el("span", { class: "mention" }, name);
}

/** Return the name under which a person is mentioned. */
export function nameOf(id) {
  return person(id)?.real_name ?? id;
}

function inline(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(TOKEN)) {
    nodes.push(leaf(text.slice(end, found.index)), token(found));
    end = found.index + found[0].length;
  }
  nodes.push(leaf(text.slice(end)));
  return nodes;
}

function token([whole, block, angle, code, bold, italic, strike]) {
  if (block !== undefined) return el("pre", {}, leaf(block.replace(/^\n/, "")));
  if (angle !== undefined) return special(angle, whole);
  if (code !== undefined) return el("code", {}, leaf(code));
  if (bold !== undefined) return el("strong", {}, inline(bold));
  if (italic !== undefined) return el("em", {}, inline(italic));
  return el("s", {}, inline(strike));
}

function special(inner, whole) {
  const [target, label] = inner.split(/\|(.*)/s);
  if (/^@[UW]/.test(target)) return mention(`@${person(target.slice(1))?.name ?? label ?? target.slice(1)}`);
  if (/^#[CG]/.test(target)) return channelLink(target.slice(1), label);
  if (target.startsWith("!subteam^")) return mention(groupName(target.slice(9), label));
  if (target.startsWith("!date^")) return date(target, label);
  if (/^!(?:here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`);
  if (SAFE_LINK.test(target)) return link(decode(target), leaf(label ?? target.replace(/^(?:mailto|tel):/, "")));
  return leaf(whole);
}

/** Return a link to a channel. */
export function channelLink(id, label) {
  const name = part("about").channels.find((channel) => channel.id === id)?.name ?? label ?? id;
  const open = () => move({ channel: id, thread: "", home: false });
  return el("button", { type: "button", class: "mention", onclick: open }, `#${name}`);
}

/** Return the name of a user group. */
export function groupName(id, label) {
  const group = part("about").groups.find((each) => each.id === id);
  return group ? `@${group.handle}` : (label ?? id);
}

function date(target, fallback) {
  const [, seconds, template, url] = target.split("^");
  const time = el("time", { datetime: new Date(seconds * 1000).toISOString(), title: fallback }, slackDate(Number(seconds), template));
  return url ? link(url, time) : time;
}

function leaf(text) {
  return document.createTextNode(decode(text));
}

function decode(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
