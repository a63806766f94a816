// A select menu that searches: the app is asked for its options while a person types.

import { el, newId } from "./dom.js";
import { asField, initialState, nameOfElement } from "./fields.js";

const PAUSE_MS = 200;

/** Return a field for an external select, with one choice or several. */
export function searchInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const several = element.type.startsWith("multi_");
  const initial = initialState(surface.typed, name, element);
  let chosen = several ? initial.options : [initial.option].filter(Boolean);
  let offered = [];
  let active = -1;
  let question = 0;
  let timer = 0;

  const list = el("ul", { role: "listbox", id: newId("options"), "aria-label": "Options", hidden: true });
  const chips = el("span", { class: "chips" });
  const field = el("input", {
    type: "text",
    role: "combobox",
    autocomplete: "off",
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
    ...label,
    "data-key": name,
    placeholder: element.placeholder?.text ?? "Search",
    value: several ? "" : (chosen[0]?.text.text ?? ""),
    oninput: () => ask(PAUSE_MS),
    onclick: () => ask(0),
    onblur: close,
    onkeydown: press,
  });

  function ask(pause) {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const typed = chosen.some((option) => option.text.text === field.value) ? "" : field.value;
      if (typed.length < (element.min_query_length ?? 3)) return close();
      question += 1;
      const mine = question;
      const options = await surface.suggest(name, typed);
      if (mine === question && document.activeElement === field) show(options ?? []);
    }, pause);
  }

  function show(options) {
    offered = options;
    active = -1;
    const rows = options.map((option, index) => {
      const choose = (event) => {
        event.preventDefault();
        pick(index);
      };
      const text = [option.text.text, option.description && el("small", {}, option.description.text)];
      return el("li", { role: "option", id: `${list.id}-${index}`, "aria-selected": "false", onmousedown: choose }, text);
    });
    list.replaceChildren(...rows);
    if (rows.length === 0) list.append(el("li", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, "No result"));
    list.hidden = false;
    field.setAttribute("aria-expanded", "true");
  }

  function close() {
    clearTimeout(timer);
    question += 1;
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
    if (!several && !field.value) clear();
    else if (!several) field.value = chosen[0]?.text.text ?? "";
  }

  function clear() {
    if (chosen.length === 0) return;
    chosen = [];
    changed();
  }

  function pick(index) {
    if (!offered[index]) return;
    chosen = several ? [...chosen.filter((each) => each.value !== offered[index].value), offered[index]] : [offered[index]];
    field.value = several ? "" : chosen[0].text.text;
    changed();
    close();
  }

  function changed() {
    chips.replaceChildren(...(several ? chosen.map(chip) : []));
    if (block.type !== "input" || block.dispatch_action) surface.act(name, read(), element.confirm);
  }

  function chip(option) {
    const remove = () => {
      chosen = chosen.filter((each) => each !== option);
      changed();
      field.focus();
    };
    return el("button", { type: "button", "aria-label": `Remove ${option.text.text}`, onclick: remove }, `${option.text.text} ✕`);
  }

  function press(event) {
    if (list.hidden) {
      if (event.key === "ArrowDown") ask(0);
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && offered.length > 0) activate((active + step + offered.length) % offered.length);
    else if (event.key === "Enter" && active >= 0) pick(active);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function activate(index) {
    active = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    field.setAttribute("aria-activedescendant", `${list.id}-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  const read = () => (several ? chosen : (chosen[0] ?? null));
  chips.replaceChildren(...(several ? chosen.map(chip) : []));
  return asField(el("div", { class: "search" }, chips, field, list), name, read);
}
