// The field for messages and commands, with the commands and hints of the app's manifest.

import { alertPerson, announce, deliver, upload } from "./api.js";
import { el, menu, newId } from "./dom.js";
import { part, place } from "./store.js";

/** Return a composer for a channel, or for a thread in it. `names` is what its label says. */
export function composer({ channel, thread = "", names, id }) {
  const list = el("ul", { class: "commands", role: "listbox", tabindex: "0", id: newId("commands"), "aria-label": "Commands", hidden: true });
  const hint = el("p", { class: "hint" });
  const files = el("input", { type: "file", multiple: true, "aria-label": "Attach files" });
  let offered = [];
  let active = 0;
  const field = el("textarea", {
    id,
    rows: "2",
    "aria-label": names,
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    placeholder: thread ? "Reply" : `${names} · / for commands`,
    "data-key": id,
    oninput: suggest,
    onkeydown: press,
  });

  function suggest() {
    const text = field.value;
    offered = text.startsWith("/") && !/\s/.test(text) && !thread ? part("about").commands.filter((each) => each.command.startsWith(text)) : [];
    active = 0;
    const command = part("about").commands.find((each) => text.startsWith(`${each.command} `));
    hint.textContent = command && !thread ? `${command.command} ${command.usage_hint ?? ""}` : "";
    draw();
    if (offered.length > 0) announce(`${offered.length} commands. Use the arrow keys, then Enter.`);
  }

  function draw() {
    list.hidden = offered.length === 0;
    list.replaceChildren(
      ...offered.map((each, index) => {
        const choose = (event) => {
          event.preventDefault();
          pick(each);
        };
        return el(
          "li",
          { role: "option", id: `${list.id}-${index}`, "aria-selected": String(index === active), onmousedown: choose },
          el("strong", {}, each.command),
          ` ${each.usage_hint ?? ""}`,
          el("small", {}, each.description),
        );
      }),
    );
    if (list.hidden) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", `${list.id}-${active}`);
      list.children[active].scrollIntoView({ block: "nearest" });
    }
  }

  function pick(command) {
    field.value = `${command.command} `;
    suggest();
  }

  function press(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && offered.length > 0) {
      active = (active + step + offered.length) % offered.length;
      draw();
    } else if ((event.key === "Tab" || event.key === "Enter") && offered.length > 0 && offered[active].command !== field.value) {
      pick(offered[active]);
    } else if (event.key === "Enter" && !event.shiftKey) {
      send();
    } else if (event.key === "Escape" && offered.length > 0) {
      offered = [];
      draw();
    } else return;
    event.preventDefault();
  }

  async function send() {
    const text = field.value.trim();
    if (!text && files.files.length === 0) return;
    if (text.startsWith("/")) {
      const problem = thread ? `${text.split(/\s/)[0]} is not supported in threads. Sorry!` : unknown(text);
      if (problem) return alertPerson(problem);
    }
    field.value = "";
    suggest();
    if (text.startsWith("/")) return deliver("command", { user: place.user, channel, ...parsed(text) });
    const uploads = await Promise.all([...files.files].map((file) => upload(place.user, file)));
    files.value = "";
    return deliver("say", { user: place.user, channel, text: withMentions(escaped(text)), thread_ts: thread, files: uploads });
  }

  const submit = (event) => {
    event.preventDefault();
    send();
  };
  const extras = thread ? [] : [shortcuts()];
  const buttons = el("div", { class: "composer-buttons" }, extras, files, el("button", { type: "submit", class: "button primary" }, "Send"));
  return el("form", { class: "composer", onsubmit: submit }, list, field, hint, buttons);
}

/** Put a text into the composer of the channel, ready to be sent. */
export function propose(text) {
  const field = document.getElementById("composer-text");
  field.value = text;
  field.dispatchEvent(new Event("input"));
  field.focus();
}

function shortcuts() {
  const items = part("about")
    .shortcuts.filter((each) => each.type === "global")
    .map((each) => ({
      text: each.name,
      description: each.description,
      id: each.callback_id,
      run: () => deliver("shortcut", { user: place.user, callback_id: each.callback_id }),
    }));
  return menu("Shortcuts", "⚡", items, "shortcuts");
}

function unknown(text) {
  const name = text.split(/\s/)[0];
  const known = part("about").commands.some((each) => each.command === name);
  return known ? "" : `${name} is not a valid command.`;
}

function parsed(text) {
  const [name] = text.split(/\s/);
  const rest = text.slice(name.length).trim();
  const command = part("about").commands.find((each) => each.command === name);
  return { name, text: command.should_escape ? withMentions(rest, true) : rest };
}

/** Write @names and #channels as Slack sends them to an app. */
function withMentions(text, named = false) {
  const { people, groups, channels } = part("about");
  const label = (name) => (named ? `|${name}` : "");
  return text
    .replace(/(?<!\S)@([\w-]+)/g, (whole, name) => {
      const user = people.find((each) => each.name === name);
      if (user) return `<@${user.id}${label(name)}>`;
      const group = groups.find((each) => each.handle === name);
      return group ? `<!subteam^${group.id}${label(`@${name}`)}>` : whole;
    })
    .replace(/(?<!\S)#([\w-]+)/g, (whole, name) => {
      const channel = channels.find((each) => each.name === name);
      return channel ? `<#${channel.id}${label(name)}>` : whole;
    });
}

function escaped(text) {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
