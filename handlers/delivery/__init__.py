"""The messages of requests in Slack: notifier, poster, progress, approver notices."""

from dataclasses import dataclass

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.groups import KnownGroup
from bot.storage.stores import Stores
from bot.tasks import BackgroundTasks
from handlers.clients import SlackClients
from handlers.clients.errors import error_code, is_refusal
from handlers.clients.personal import send_ephemeral
from handlers.delivery.approvers import ApproverNotifier
from handlers.delivery.notifier import NotifierOptions, RequestEvents, SlackNotifier
from handlers.delivery.permalinks import Permalinks
from handlers.delivery.poster import Poster
from handlers.views.text import safe_text

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What posts to Slack, and publishes what it posted.

    Attributes:
        notifier: posts and updates the messages of requests.
        permalinks: the links to those messages.
        events: publishes each change that a message shows.
        background: work that continues after an acknowledgement.
    """

    notifier: SlackNotifier
    permalinks: Permalinks
    events: RequestEvents
    background: BackgroundTasks

    @classmethod
    def of(cls, client: AsyncWebClient, slack: SlackClients, stores: Stores, options: NotifierOptions) -> "Delivery":
        """Build the notifier and the objects that it uses."""
        poster, events = Poster(client, stores.postings), RequestEvents()
        permalinks = Permalinks(client, stores.postings)
        approvers = ApproverNotifier(poster, stores.votes, slack.user_groups, slack.channels)
        notifier = SlackNotifier(poster, stores, approvers, permalinks, events, options=options)
        return cls(notifier, permalinks, events, BackgroundTasks())


async def notify_requester(client: AsyncWebClient, user_id: str, channel: str, group: KnownGroup, text: str) -> None:
    """Send the requester of a sync a text about it. If they can't be reached at all, it is only logged.

    Raises what the client raises for transient errors.
    """
    try:
        await send_ephemeral(client, user_id, channel, f"*{safe_text(group.name, 100)}*: {text}")
    except SlackApiError as error:
        if not is_refusal(error):
            raise
        log.warning("requester_not_reached", user=user_id, error=error_code(error))
