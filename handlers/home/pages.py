"""The Home tab: drawn when a person opens it, and again when something changes while they view it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.domain.access import Actor
from bot.domain.groups import GroupRef
from bot.domain.requests import Request
from bot.services.accounts import AccountStatuses
from handlers import modals
from handlers.clients.personal import open_direct_channel
from handlers.clients.user_groups import APPROVAL_MEMBERS_TTL
from handlers.errors import read_only
from handlers.home.reader import HomeReader, can_decide, can_override
from handlers.home.refresher import Refresher
from handlers.modals.open import open_chooser
from handlers.payloads import Click, Payload
from handlers.services import Services
from handlers.views import home_groups, home_syncs, home_view
from handlers.views.groups import GroupAddress, GroupCursor

MIN_REDRAW_INTERVAL = 2.0
"""Minimum seconds between two drawings of a person's page: views.publish allows 100 and more a minute for all."""
VISIT_TTL = 900.0
"""Seconds for which a person is a viewer after they opened the page or clicked on it."""


@dataclass(slots=True)
class Visit:
    """A viewer of the page.

    Attributes:
        at: when they last opened the page or clicked on it, in seconds of the clock.
        actor: the person, with the user groups of the last drawing.
        cursor: the groups that are shown.
        notice: the result of their last click; empty: none.
    """

    at: float
    actor: Actor
    cursor: GroupCursor = field(default_factory=GroupCursor)
    notice: str = ""


class _Opened(Payload):
    """The event `app_home_opened` (docs.slack.dev, its page); `tab` may also be `messages`."""

    user: str
    tab: str = "home"


class HomePages:
    """The pages of all viewers.

    Args:
        services: reads the content.
        client: calls Slack (views.publish).
        clock: returns the time in seconds, on any scale.
    """

    def __init__(
        self, services: Services, client: AsyncWebClient, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._client = client
        self._clock = clock
        self._visits: dict[str, Visit] = {}
        self._refresher = Refresher(self._draw, every=MIN_REDRAW_INTERVAL)
        self._accounts = AccountStatuses(services.connections, self._refresher.request)
        self._reader = HomeReader(services, self._accounts)

    async def opened(self, event: dict[str, Any]) -> None:
        """Draw the page for the person who opened it."""
        opened = _Opened.model_validate(event)
        if opened.tab == "home":
            self.visit(opened.user)
            await self._refresher.draw_now(opened.user)

    def visit(self, user_id: str) -> Visit:
        """Record that a person views the page, and clear the result of their last click."""
        now = self._clock()
        for expired in [user for user, visit in self._visits.items() if now - visit.at > VISIT_TTL]:
            del self._visits[expired]
            self._refresher.forget(expired)
        visit = self._visits.setdefault(user_id, Visit(now, Actor(user_id)))
        visit.at, visit.notice = now, ""
        return visit

    async def notify(self, user_id: str, text: str) -> None:
        """Show the result of a person's click at the top of their page."""
        self.visit(user_id).notice = text
        await self._refresher.draw_now(user_id)

    async def show_groups(self, user_id: str, cursor: GroupCursor) -> None:
        """Show another page of groups to a person."""
        self.visit(user_id).cursor = cursor
        await self._refresher.draw_now(user_id)

    def respond(self, user_id: str) -> AsyncRespond:
        """Record that a person clicked on the page, and return what shows them an answer there."""
        self.visit(user_id)
        return RespondOnHome(self, user_id)

    def on_request_changed(self, request: Request) -> None:
        """Redraw the pages of the viewers whom a request concerns."""
        for user_id, visit in self._visits.items():
            if self._clock() - visit.at <= VISIT_TTL and (
                request.requester == user_id
                or can_decide(self._services, visit.actor, request)
                or can_override(self._services, visit.actor, request)
            ):
                self._refresher.request(user_id)

    async def aclose(self) -> None:
        """Stop drawing."""
        await self._accounts.aclose()
        await self._refresher.aclose()

    async def _draw(self, user_id: str) -> None:
        visit = self._visits.get(user_id)
        if visit is None:
            return
        visit.actor = await self._services.slack.user_groups.actor(user_id)
        data = await self._reader.read(visit.actor, visit.cursor, visit.notice)
        await self._client.views_publish(user_id=user_id, view=home_view.build(data))


class RespondOnHome(AsyncRespond):
    """`respond` for a click on the Home tab, for which Slack sends no `response_url`: shows the text on the page."""

    def __init__(self, pages: HomePages, user_id: str) -> None:
        super().__init__(response_url=None)
        self._pages = pages
        self._user_id = user_id

    async def __call__(self, text: str | dict[str, Any] = "", *_: Any, **__: Any) -> WebhookResponse:
        """Show a text at the top of the page."""
        await self._pages.notify(self._user_id, str(text))
        return WebhookResponse(url="", status_code=200, body="ok", headers={})


def register(app: AsyncApp, services: Services, pages: HomePages) -> None:
    """Register the Home tab and its buttons."""
    _register(app, services, pages)
    _register_groups(app, services, pages)


def _register(app: AsyncApp, services: Services, pages: HomePages) -> None:
    @app.event("app_home_opened")
    async def opened(event: dict[str, Any]) -> None:
        await pages.opened(event)

    @app.action(home_view.NEW_REQUEST, middleware=[read_only])
    async def choose(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        await open_chooser(services, client, click.trigger_id, click.user.id)

    @app.action(re.compile(home_syncs.END))
    async def end(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        click = Click.model_validate(body)
        address = GroupAddress.parse_text(click.value)
        actor = await services.slack.user_groups.actor(click.user.id, max_age=APPROVAL_MEMBERS_TTL)
        text = await services.end_sync(actor, services.directory.get(GroupRef(address.connection, address.group_id)))
        await ack()
        await respond(text)


def _register_groups(app: AsyncApp, services: Services, pages: HomePages) -> None:
    @app.action(home_groups.PREVIOUS, middleware=[read_only])
    @app.action(home_groups.NEXT, middleware=[read_only])
    async def show_page(ack: AsyncAck, body: dict[str, Any]) -> None:
        click = Click.model_validate(body)
        await ack()
        await pages.show_groups(click.user.id, GroupCursor.parse_text(click.value or "{}"))

    @app.action(home_groups.SEARCH, middleware=[read_only])
    async def search(ack: AsyncAck, body: dict[str, Any]) -> None:
        click = Click.model_validate(body)
        await ack()
        await pages.show_groups(click.user.id, home_groups.searched(click.value))

    @app.action(home_groups.MORE, middleware=[read_only])
    @app.action(re.compile(home_groups.VERBS), middleware=[read_only])
    async def open_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        click = Click.model_validate(body)
        await ack()
        await modals.open_form(
            services,
            client,
            click.value,
            trigger_id=click.trigger_id,
            channel=await open_direct_channel(client, click.user.id),
            user=click.user.id,
            group=home_groups.group_in(click.clicked.block_id),
        )
