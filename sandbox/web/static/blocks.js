// Block Kit's blocks, one function for each type that the sandbox accepts.

import { el, newId } from "./dom.js";
import { drawElement, image } from "./elements.js";
import { markdown, richText } from "./rich_text.js";
import { textObject } from "./text.js";
import { unsupported } from "./unsupported.js";

export const BLOCKS = {
  section,
  header: (block) => el("h3", { class: "header" }, block.text.text),
  divider: () => el("hr"),
  context,
  actions: (block, surface) => el("div", { class: "actions" }, block.elements.map((each) => drawElement(block, each, surface))),
  context_actions: (block, surface) =>
    el("div", { class: "actions" }, block.elements.map((each) => drawElement(block, each, surface))),
  input,
  image: (block) => el("figure", {}, image(block, block), block.title && el("figcaption", {}, block.title.text)),
  rich_text: (block) => el("div", {}, richText(block)),
  markdown: (block) => el("div", {}, markdown(block.text)),
  table,
  alert: (block) => el("div", { class: `alert ${block.level ?? "default"}`, role: "note" }, textObject(block.text)),
  container,
  task_card: taskCard,
  plan: (block) => el("div", { class: "plan" }, el("strong", {}, block.title), (block.tasks ?? []).map(taskCard)),
};

/** Return the nodes of blocks on a surface. */
export function drawBlocks(blocks, surface) {
  return blocks.map((block) => {
    const draw = BLOCKS[block?.type];
    if (!draw) return unsupported(block);
    const node = draw(block, surface);
    node.classList.add("block");
    node.dataset.block = block.block_id;
    return node;
  });
}

function section(block, surface) {
  const text = block.text && el("div", { class: "text" }, textObject(block.text));
  const fields = block.fields && el("div", { class: "fields" }, block.fields.map((field) => el("div", {}, textObject(field))));
  const accessory = block.accessory && el("div", { class: "accessory" }, drawElement(block, block.accessory, surface));
  return el("div", { class: "section" }, el("div", {}, text, fields), accessory);
}

function context(block) {
  const parts = block.elements.map((each) => {
    if (each.type === "image") return image(block, each);
    return ["mrkdwn", "plain_text"].includes(each.type) ? el("span", {}, textObject(each)) : unsupported(each);
  });
  return el("div", { class: "context" }, parts);
}

function input(block, surface) {
  const [field, label, hint, error] = ["field", "label", "hint", "error"].map(newId);
  const problem = surface.errors?.[block.block_id];
  const group = ["checkboxes", "radio_buttons"].includes(block.element.type);
  const named = {
    id: field,
    "aria-labelledby": group ? label : null,
    "aria-describedby": [block.hint && hint, problem && error].filter(Boolean).join(" ") || null,
    "aria-invalid": problem ? "true" : null,
    "aria-required": block.optional || group || block.element.type === "file_input" ? null : "true",
  };
  const text = [block.label.text, block.optional && el("small", {}, " (optional)")];
  return el(
    "div",
    { class: "input" },
    group ? el("div", { class: "label", id: label }, text) : el("label", { class: "label", for: field }, text),
    drawElement(block, block.element, surface, named),
    block.hint && el("div", { class: "hint", id: hint }, block.hint.text),
    el("div", { class: "error", id: error, hidden: !problem }, problem ?? ""),
  );
}

// Slack's documentation doesn't say that the first row is a header, so it isn't drawn as one.
function table(block) {
  const cell = (value, index) => el("td", { class: `align-${block.column_settings?.[index]?.align ?? "left"}` }, cellText(value));
  const rows = block.rows.map((row) => el("tr", {}, row.map(cell)));
  return el("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" }, el("table", {}, el("tbody", {}, rows)));
}

function cellText(cell) {
  if (cell.type === "rich_text") return richText(cell);
  return cell.type === "raw_text" || cell.type === "raw_number" ? (cell.text ?? String(cell.value)) : unsupported(cell);
}

function container(block, surface) {
  const title = block.title?.text ?? "Details";
  const children = drawBlocks(block.child_blocks, surface);
  const subtitle = block.subtitle && el("small", {}, ` ${block.subtitle.text}`);
  if (!block.is_collapsible) return el("div", { class: "container" }, el("strong", {}, title), subtitle, children);
  return el("details", { class: "container", open: !block.default_collapsed }, el("summary", {}, title, subtitle), children);
}

function taskCard(task) {
  const sign = { complete: "✅", in_progress: "⏳", error: "⚠️" }[task.status] ?? "▫️";
  return el("div", { class: "task" }, `${sign} ${task.title}`);
}
