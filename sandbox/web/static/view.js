// A view, which is a modal or the Home tab: its surface, and drawing it again without losing what was typed.

import { alertPerson, deliver } from "./api.js";
import { drawBlocks } from "./blocks.js";
import { confirmed } from "./confirm.js";
import { keptIn, valuesIn } from "./fields.js";
import { place } from "./store.js";

/** Draw a view's blocks into `body`. Fields that are still there keep their nodes, so that nothing typed is lost. */
export function drawView(body, shown, sameView) {
  const { view, errors, typed } = shown;
  const before = sameView ? keptIn(body) : new Map();
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const surface = {
    kind: view.type,
    errors,
    typed,
    async act(name, value, question) {
      if (!(await confirmed(question))) return;
      const values = await valuesIn(body);
      await deliver("press", { user: place.user, view_id: view.id, name, value: value ?? null, values });
    },
    async suggest(name, text) {
      return deliver("suggest", { user: place.user, view_id: view.id, name, text });
    },
  };
  const nodes = drawBlocks(view.blocks, surface);
  for (const node of nodes) keepFields(node, before);
  body.replaceChildren(...nodes);
  if (focused !== undefined) body.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function keepFields(node, before) {
  for (const field of node.querySelectorAll("[data-field]")) {
    const kept = before.get(field.dataset.field);
    if (!kept || kept.tagName !== field.tagName || kept.type !== field.type) continue;
    const [target, fresh] = [control(kept), control(field)];
    if (target.tagName === "SELECT" && target.innerHTML !== fresh.innerHTML) continue;
    for (const name of ["id", "aria-labelledby", "aria-describedby", "aria-invalid"]) {
      if (fresh.hasAttribute(name)) target.setAttribute(name, fresh.getAttribute(name));
      else target.removeAttribute(name);
    }
    field.replaceWith(kept);
  }
}

function control(field) {
  return field.matches("input, select, textarea") ? field : (field.querySelector("input, select, textarea") ?? field);
}

/** Check a form as Slack's client does before it sends it. Return whether it is complete. */
export async function isComplete(body, view) {
  const values = await valuesIn(body);
  let first = null;
  for (const block of view.blocks.filter((each) => each.type === "input")) {
    const node = body.querySelector(`[data-block="${CSS.escape(block.block_id)}"]`);
    const value = values[`${block.block_id}/${block.element.action_id}`];
    const empty = value === null || value === "" || (Array.isArray(value) && value.length === 0);
    const field = node.querySelector("input, select, textarea");
    let problem = "";
    if (empty && !block.optional) problem = "Please complete this required field.";
    else if (!empty && field.validity && !field.validity.valid) problem = field.validationMessage;
    showError(node, field, problem);
    if (problem) first ??= field;
  }
  if (first) {
    first.focus();
    alertPerson("Some fields need your attention.");
  }
  return first === null;
}

function showError(node, field, problem) {
  const line = node.querySelector(".error");
  line.textContent = problem;
  line.hidden = !problem;
  if (!problem) {
    field.removeAttribute("aria-invalid");
    return;
  }
  field.setAttribute("aria-invalid", "true");
  const described = new Set((field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean).concat(line.id));
  field.setAttribute("aria-describedby", [...described].join(" "));
}
