// The channels, and the switch for who you are.

import { channelTitle } from "./conversation.js";
import { el, replaceKeepingFocus } from "./dom.js";
import { showPane } from "./panes.js";
import { connect, move, onChange, part, place } from "./store.js";

const read = new Map();

/** Keep the sidebar as the stream says. */
export function startSidebar() {
  const switcher = document.getElementById("person");
  switcher.addEventListener("change", () => switchTo(switcher.value));
  onChange(["channels", "messages/"], () => {
    const people = part("about").people.filter((each) => !each.is_bot);
    if (!people.some((each) => each.id === place.user)) return switchTo(people[0].id);
    drawPeople(switcher, people);
    const channels = part("channels");
    if (!channels.some((each) => each.id === place.channel)) {
      const direct = place.channel.startsWith("D") && channels.find((each) => each.kind === "im");
      move({ channel: (direct || channels[0]).id, thread: "", home: Boolean(direct) && place.home });
    }
    drawChannels(channels);
  });
}

function switchTo(user) {
  read.clear();
  connect(user);
  move({ user });
}

function drawPeople(switcher, people) {
  if (switcher.options.length !== people.length) {
    const options = people.map((each) => el("option", { value: each.id }, `${each.real_name} · ${each.title || each.name}`));
    switcher.replaceChildren(...options);
  }
  switcher.value = place.user;
}

function drawChannels(channels) {
  const rows = channels.map((channel) => {
    const messages = part(`messages/${channel.id}`) ?? [];
    const current = channel.id === place.channel;
    const key = `${place.user}/${channel.id}`;
    if (current || !read.has(key)) read.set(key, messages.length);
    const unread = messages.length - read.get(key);
    const badge = unread > 0 && el("span", { class: "unread" }, `${unread}`, el("span", { class: "hidden" }, " unread"));
    const open = () => {
      move({ channel: channel.id, thread: "", home: false });
      showPane("chat");
    };
    const attributes = { type: "button", "aria-current": current ? "true" : null, "data-key": channel.id, onclick: open };
    return el("li", {}, el("button", attributes, channelTitle(channel), badge));
  });
  const split = channels.filter((each) => each.kind !== "im").length;
  replaceKeepingFocus(
    document.getElementById("channels"),
    el("h2", {}, "Channels"),
    el("ul", {}, rows.slice(0, split)),
    el("h2", {}, "Apps"),
    el("ul", {}, rows.slice(split)),
  );
}
