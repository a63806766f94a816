// Block Kit's interactive elements, one function for each type that the sandbox accepts.

import { el, menu } from "./dom.js";
import { nameOfElement } from "./fields.js";
import { choiceInput, dateInput, fileInput, richTextInput, selectInput, textInput } from "./inputs.js";
import { searchInput } from "./search.js";
import { place } from "./store.js";
import { link } from "./text.js";
import { unsupported } from "./unsupported.js";

export const ELEMENTS = {
  button,
  image,
  overflow,
  workflow_button: button,
  icon_button: button,
  feedback_buttons: feedback,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  rich_text_input: richTextInput,
  datepicker: dateInput,
  timepicker: dateInput,
  datetimepicker: dateInput,
  checkboxes: choiceInput,
  radio_buttons: choiceInput,
  static_select: selectInput,
  users_select: selectInput,
  channels_select: selectInput,
  conversations_select: selectInput,
  multi_static_select: selectInput,
  multi_users_select: selectInput,
  multi_channels_select: selectInput,
  multi_conversations_select: selectInput,
  external_select: searchInput,
  multi_external_select: searchInput,
  file_input: fileInput,
};

/** Return an element's node. `label` has the ARIA attributes that name it, when its block does. */
export function drawElement(block, element, surface, label) {
  const draw = ELEMENTS[element?.type];
  if (!draw) return unsupported(element);
  return draw(block, element, surface, label ?? { "aria-label": element.placeholder?.text ?? element.type.replaceAll("_", " ") });
}

function button(block, element, surface) {
  if (element.visible_to_user_ids && !element.visible_to_user_ids.includes(place.user)) return el("span", { hidden: true });
  const name = nameOfElement(block, element);
  const use = async (event) => {
    const target = event.currentTarget;
    target.setAttribute("aria-busy", "true");
    await surface.act(name, undefined, element.confirm);
    target.removeAttribute("aria-busy");
  };
  const attributes = { type: "button", class: `button ${element.style ?? ""}`, "data-key": name, "aria-label": element.accessibility_label, onclick: use };
  const drawn = el("button", attributes, element.text.text);
  if (!element.url) return drawn;
  const opened = link(element.url, element.text.text);
  opened.className = drawn.className;
  opened.addEventListener("click", () => surface.act(name, undefined, element.confirm));
  return opened;
}

function feedback(block, element, surface) {
  const act = (value) => () => surface.act(nameOfElement(block, element), value);
  const buttons = [element.positive_button, element.negative_button];
  return el("span", {}, buttons.map((each) => el("button", { type: "button", class: "button", onclick: act(each.value) }, each.text.text)));
}

function overflow(block, element, surface) {
  const name = nameOfElement(block, element);
  const items = element.options.map((option) => ({
    text: option.text.text,
    description: option.description?.text,
    id: `${name}/${option.value}`,
    run: () => surface.act(name, option.value, element.confirm),
  }));
  return menu("More", "⋯", items, name);
}

/** Pictures aren't loaded: the page reads nothing from elsewhere. Their place shows the alternative text. */
export function image(_block, element) {
  return el("span", { class: "image", role: "img", "aria-label": element.alt_text }, `🖼 ${element.alt_text}`);
}
