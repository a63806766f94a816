// The start of the page.

import { startConversation } from "./conversation.js";
import { startModal } from "./modal.js";
import { startSidebar } from "./sidebar.js";
import { connect, move, placeInAddress } from "./store.js";
import { startTools } from "./tools.js";

const FIRST_PERSON = "U01ALICE";

startSidebar();
startConversation();
startModal();
startTools();

for (const button of document.querySelectorAll("#panes button")) {
  button.addEventListener("click", () => {
    document.body.dataset.pane = button.dataset.pane;
    for (const each of document.querySelectorAll("#panes button")) {
      if (each === button) each.setAttribute("aria-current", "true");
      else each.removeAttribute("aria-current");
    }
  });
}

const { user, channel, thread, home } = placeInAddress();
connect(user || FIRST_PERSON);
move({ channel: channel ?? "", thread, home });
