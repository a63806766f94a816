"""The messages of requests in Slack: notifier, poster, rate limits, approver notices."""

from dataclasses import dataclass

from slack_sdk.web.async_client import AsyncWebClient

from bot.storage.stores import Stores
from bot.tasks import BackgroundTasks
from handlers.clients import SlackClients
from handlers.delivery.approvers import ApproverNotifier
from handlers.delivery.notifier import NotifierOptions, RequestEvents, SlackNotifier
from handlers.delivery.permalinks import Permalinks
from handlers.delivery.poster import Poster


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
