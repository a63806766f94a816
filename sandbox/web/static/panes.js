// The panes: a narrow screen shows one of them.

const buttons = document.querySelectorAll("#panes button");

/** Show a pane: `sidebar`, `chat` or `tools`. */
export function showPane(name) {
  document.body.dataset.pane = name;
  for (const button of buttons) {
    if (button.dataset.pane === name) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

/** Let the buttons show their panes. */
export function startPanes() {
  for (const button of buttons) button.addEventListener("click", () => showPane(button.dataset.pane));
}
