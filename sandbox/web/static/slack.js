// Faults of Slack's Web API, and texts that Slack would show wrongly.

import { alertPerson, post } from "./api.js";
import { choice, chosen, drawIfChanged } from "./cards.js";
import { el } from "./dom.js";
import { part } from "./store.js";

const FAULTS = {
  none: ["No faults", null],
  limited: ["Too many requests (429)", { error: "ratelimited" }],
  broken: ["Server error (500)", { status: 500 }],
  lost: ["Lost answers (done, but not answered)", { error: "drop", when: "after" }],
};

/** Draw Slack's card. */
export function drawSlack(node) {
  const slack = part("slack");
  if (!slack) return;
  drawIfChanged(node, slack, () => [
    el("h3", {}, "Slack"),
    slack.faults.map((each) => el("p", {}, `⚠️ ${each.method || "every method"}: ${each.error || each.status}, ${each.times} more`)),
    slack.oddities.map((each) => el("p", { class: "unsupported" }, `Slack would show this wrongly: ${each}`)),
    el("details", { "data-key": "slack/faults" }, el("summary", { "data-key": "slack/summary" }, "Faults"), form()),
  ]);
}

function form() {
  const method = choice("slack/method", "Method", [["", "every method"], ...part("about").methods.map((each) => [each, each])]);
  const kind = choice("slack/kind", "Fault", Object.entries(FAULTS).map(([key, [text]]) => [key, text]));
  const times = choice("slack/times", "How often", [["1", "once"], ["3", "3 times"]]);
  const apply = async () => {
    const [, fault] = FAULTS[chosen(kind)];
    const faults = fault ? [{ ...fault, method: chosen(method), times: Number(chosen(times)) }] : [];
    try {
      await post("faults", faults);
    } catch (problem) {
      alertPerson(problem.message);
    }
  };
  return [method, kind, times, el("button", { type: "button", class: "button", "data-key": "slack/apply", onclick: apply }, "Set fault")];
}
