// The start of the page.

import { startConversation } from "./conversation.js";
import { startModal } from "./modal.js";
import { startPanes } from "./panes.js";
import { startSidebar } from "./sidebar.js";
import { connect, move, placeInAddress } from "./store.js";
import { startTools } from "./tools.js";

const FIRST_PERSON = "U01ALICE";

startSidebar();
startConversation();
startModal();
startTools();
startPanes();

const { user, channel, thread, home } = placeInAddress();
connect(user || FIRST_PERSON);
move({ channel: channel ?? "", thread, home });
