// Inputs that a person types into or picks from, for modals, the Home tab and messages.

import { upload } from "./api.js";
import { fromLocalField, toLocalField } from "./dates.js";
import { el, newId } from "./dom.js";
import { asField, initialState, nameOfElement, optionsOf } from "./fields.js";
import { part, place } from "./store.js";
import { textObject } from "./text.js";

/** Return a field for one of Slack's text inputs; it acts on Enter if its block says so. */
export function textInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const type = { email_text_input: "email", url_text_input: "url", number_input: "text" }[element.type] ?? "text";
  const shared = {
    ...label,
    "data-key": name,
    placeholder: element.placeholder?.text,
    value: initialState(surface.typed, name, element).text,
    maxlength: element.max_length ?? null,
    minlength: element.min_length ?? null,
    inputmode: element.type === "number_input" ? "decimal" : null,
    autocomplete: "off",
  };
  const field = element.multiline ? el("textarea", { rows: "4", ...shared }) : el("input", { type, ...shared });
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  if (block.dispatch_action) {
    const act = () => surface.act(name, field.value || null);
    if (triggers.includes("on_character_entered")) field.addEventListener("input", act);
    if (triggers.includes("on_enter_pressed")) {
      field.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        act();
      });
    }
  }
  return asField(field, name, () => field.value || null);
}

/** Return a field for a rich text; what is typed becomes one section. */
export function richTextInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const field = el("textarea", { rows: "4", ...label, "data-key": name, placeholder: element.placeholder?.text });
  return asField(field, name, () => field.value && sectionOf(field.value));
}

function sectionOf(text) {
  const section = { type: "rich_text_section", elements: [{ type: "text", text }] };
  return { type: "rich_text", elements: [section] };
}

/** Return a field for a date, a time, or both. */
export function dateInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const { date, time, moment } = initialState(surface.typed, name, element);
  const [type, value] = {
    datepicker: ["date", date],
    timepicker: ["time", time],
    datetimepicker: ["datetime-local", moment === null ? "" : toLocalField(moment)],
  }[element.type];
  const field = el("input", { type, ...label, "data-key": name, value });
  const read = () => (element.type === "datetimepicker" ? fromLocalField(field.value) : field.value || null);
  actOnChange(field, block, name, read, surface);
  return asField(field, name, read);
}

/** Return a field for a menu of the element's own options, or of people, channels or conversations. */
export function selectInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const several = element.type.startsWith("multi_");
  const { option, options, id, ids } = initialState(surface.typed, name, element);
  const chosen = new Set(several ? [...options.map((each) => each.value), ...ids] : [option?.value ?? id]);
  const entry = ([value, text]) => el("option", { value, selected: chosen.has(value) }, text);
  const groups = (element.option_groups ?? []).map((group) =>
    el("optgroup", { label: group.label.text }, group.options.map((each) => entry([each.value, each.text.text]))),
  );
  const field = el("select", { ...label, "data-key": name, multiple: several });
  if (!several) field.append(el("option", { value: "" }, element.placeholder?.text ?? "Choose"));
  field.append(...groups, ...(element.option_groups ? [] : choices(element).map(entry)));
  const read = () => {
    const values = [...field.selectedOptions].map((each) => each.value).filter(Boolean);
    return several ? values : (values[0] ?? null);
  };
  actOnChange(field, block, name, read, surface, element);
  return asField(field, name, read);
}

function choices(element) {
  if (element.options) return optionsOf(element).map((each) => [each.value, each.text.text]);
  const people = part("about").people.map((each) => [each.id, each.real_name]);
  const channels = part("about").channels.map((each) => [each.id, `#${each.name}`]);
  if (element.type.includes("users")) return people;
  return element.type.includes("channels") ? channels : [...channels, ...people];
}

/** Return a field for checkboxes or radio buttons. */
export function choiceInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  const several = element.type === "checkboxes";
  const { option, options } = initialState(surface.typed, name, element);
  const chosen = new Set((several ? options : [option]).map((each) => each?.value));
  const group = newId("choice");
  const boxes = element.options.map((each) => {
    const box = el("input", {
      type: several ? "checkbox" : "radio",
      name: group,
      value: each.value,
      checked: chosen.has(each.value),
      "data-key": `${name}/${each.value}`,
    });
    const description = each.description && el("small", {}, textObject(each.description));
    return [box, el("label", { class: "choice" }, box, el("span", {}, textObject(each.text), description))];
  });
  const role = several ? "group" : "radiogroup";
  const field = el("div", { role, ...label }, boxes.map(([, line]) => line));
  const read = () => {
    const values = boxes.filter(([box]) => box.checked).map(([box]) => box.value);
    return several ? values : (values[0] ?? null);
  };
  actOnChange(field, block, name, read, surface, element);
  return asField(field, name, read);
}

/** Return a field for files; each is uploaded when it is chosen. */
export function fileInput(block, element, surface, label) {
  const name = nameOfElement(block, element);
  let uploads = initialState(surface.typed, name, element).files.map((file) => file.id);
  const known = initialState(surface.typed, name, element).files.map((file) => file.name);
  const list = el("span", { class: "note" }, known.join(", "));
  const types = element.filetypes?.map((type) => `.${type}`).join(",");
  const field = el("input", { type: "file", ...label, "data-key": name, multiple: (element.max_files ?? 10) > 1, accept: types });
  field.addEventListener("change", () => {
    list.textContent = "";
    uploads = [...field.files].slice(0, element.max_files ?? 10).map((file) => upload(place.user, file));
  });
  return asField(el("div", { class: "files" }, field, list), name, () => Promise.all(uploads));
}

function actOnChange(field, block, name, read, surface, element = {}) {
  if (block.type === "input" && !block.dispatch_action) return;
  field.addEventListener("change", () => surface.act(name, read(), element.confirm));
}
