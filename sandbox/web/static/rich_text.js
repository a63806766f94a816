// The `rich_text` block, and the reduced Markdown of the `markdown` block.

import { el } from "./dom.js";
import { slackDate } from "./dates.js";
import { channelLink, groupName, link, mention, nameOf } from "./text.js";
import { unsupported } from "./unsupported.js";

/** Return the nodes of a rich text. */
export function richText(block) {
  return block.elements.map((part) => {
    const content = () => part.elements.map(inline);
    switch (part.type) {
      case "rich_text_section":
        return el("div", {}, content());
      case "rich_text_quote":
        return el("blockquote", {}, content());
      case "rich_text_preformatted":
        return el("pre", {}, content());
      case "rich_text_list": {
        const items = part.elements.map((item) => el("li", {}, item.elements.map(inline)));
        const list = el(part.style === "ordered" ? "ol" : "ul", { start: part.offset ? part.offset + 1 : null }, items);
        if (part.indent) list.style.marginInlineStart = `${part.indent * 1.5}em`;
        return list;
      }
      default:
        return unsupported(part);
    }
  });
}

function inline(part) {
  switch (part.type) {
    case "text":
      return styled(document.createTextNode(part.text), part.style);
    case "link":
      return styled(link(part.url, part.text ?? part.url), part.style);
    case "emoji":
      return part.unicode ? String.fromCodePoint(...part.unicode.split("-").map((code) => parseInt(code, 16))) : `:${part.name}:`;
    case "user":
      return mention(`@${nameOf(part.user_id)}`);
    case "usergroup":
      return mention(groupName(part.usergroup_id));
    case "channel":
      return channelLink(part.channel_id);
    case "broadcast":
      return mention(`@${part.range}`);
    case "date":
      return slackDate(Number(part.timestamp), part.format);
    case "color":
      return el("code", {}, part.value);
    default:
      return unsupported(part);
  }
}

function styled(node, style = {}) {
  let result = node;
  for (const [name, tag] of Object.entries({ code: "code", bold: "strong", italic: "em", strike: "s" })) {
    if (style[name]) result = el(tag, {}, result);
  }
  return result;
}

/** Return the nodes of a Markdown text: headings, lists, quotes, code, emphasis and links. */
export function markdown(text) {
  return text.split(/\n{2,}/).map((paragraph) => {
    const heading = /^#{1,6} (.*)$/.exec(paragraph);
    if (heading) return el("p", {}, el("strong", {}, marked(heading[1])));
    if (/^```/.test(paragraph)) return el("pre", {}, paragraph.replace(/^```\w*\n?|\n?```$/g, ""));
    if (/^> /.test(paragraph)) return el("blockquote", {}, marked(paragraph.replace(/^> /gm, "")));
    if (/^(?:[-*]|\d+\.) /.test(paragraph)) {
      const items = paragraph.split("\n").map((line) => el("li", {}, marked(line.replace(/^\s*(?:[-*]|\d+\.) /, ""))));
      return el(/^\d/.test(paragraph) ? "ol" : "ul", {}, items);
    }
    return el("p", {}, marked(paragraph));
  });
}

function marked(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(/`([^`]+)`|\*\*(.+?)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)/g)) {
    nodes.push(text.slice(end, found.index));
    const [, code, bold, italic, label, url] = found;
    if (code) nodes.push(el("code", {}, code));
    else if (bold) nodes.push(el("strong", {}, marked(bold)));
    else if (italic) nodes.push(el("em", {}, marked(italic)));
    else nodes.push(link(url, label));
    end = found.index + found[0].length;
  }
  nodes.push(text.slice(end));
  return nodes;
}
