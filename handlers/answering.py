"""How an answer reaches the person who caused a payload: acknowledged in time, and sent to Slack and nowhere else.

Bolt drops what a listener acknowledges after its 3 seconds. So a listener that takes longer is acknowledged with
`answers.CHECKING`, and what it acknowledges later follows as a message, or in the modal that was submitted.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import aiohttp
import structlog
from pydantic import Field
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.listener.async_listener_start_handler import AsyncCustomListenerStartHandler
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.webhook_response import WebhookResponse

from handlers.clients.errors import reason_of
from handlers.clients.personal import send_ephemeral
from handlers.payloads import MalformedPayload, Named, Payload
from handlers.views import answers, interim_modals
from handlers.views.text import without_markup

ACK_WITHIN = 2.7
"""Seconds in which every payload is acknowledged, whatever its listener does: Slack waits for 3."""

_SLACK_URL = re.compile(r"https://[a-z0-9.-]+\.slack(-gov)?\.com/")
"""Slack's own hosts, such as hooks.slack.com; GovSlack's end in slack-gov.com (docs.slack.dev/govslack)."""
_CLICK = "block_actions"
_SHOWN_IN_MESSAGES = frozenset({"section", "context", "divider", "header"})
"""Types of a modal's blocks that a message shows too."""

log = structlog.get_logger(__name__)


class _Block(Payload):
    type: str
    block_id: str = ""


class _Event(Payload):
    type: str = ""
    user: str = ""
    channel: str = ""
    thread_ts: str = ""


class _Container(Payload):
    thread_ts: str = ""


class _View(Payload):
    id: str = ""
    type: str
    callback_id: str = ""
    blocks: tuple[_Block, ...] = ()


class _Element(Payload):
    action_id: str
    block_id: str = ""


class Cause(Payload):
    """What all payloads that a person causes have in common (docs.slack.dev, "Interaction payloads")."""

    type: str = ""
    command: str = ""
    user_id: str = ""
    user: Named | None = None
    channel_id: str = ""
    channel: Named | None = None
    callback_id: str = ""
    actions: tuple[_Element, ...] = Field((), min_length=1)
    view: _View | None = None
    event: _Event = _Event()
    container: _Container = _Container()
    authorizations: tuple[dict[str, Any], ...] = ()

    @classmethod
    def read(cls, body: dict[str, Any]) -> "Cause":
        """Read a payload; empty if it has another shape."""
        try:
            return cls.model_validate(body)
        except MalformedPayload:
            return cls()

    @property
    def person(self) -> str:
        """The Slack user id; empty if the payload names no person."""
        return self.user.id if self.user else self.user_id or self.event.user

    @property
    def place(self) -> str:
        """The channel; empty if the payload isn't from a channel."""
        return self.channel.id if self.channel else self.channel_id or self.event.channel

    @property
    def thread(self) -> str:
        """The thread of the channel; empty outside of threads."""
        return self.container.thread_ts or self.event.thread_ts

    @property
    def is_home(self) -> bool:
        """Whether it happened on the Home tab."""
        return self.view is not None and self.view.type == "home"

    @property
    def has_fields(self) -> bool:
        """Whether it is about a form with fields, which can show errors."""
        return bool(self._block(""))

    def acknowledgement(self, text: str, field: str = "") -> dict[str, Any] | None:
        """Return the acknowledgement that shows a text to the person, in a form at a field; None if none can."""
        if self.command:
            return {"response_type": "ephemeral", "text": text}
        if self.type == "view_submission" and (block := self._block(field)):
            return {"response_action": "errors", "errors": {block: without_markup(text)}}
        if self.type == "block_suggestion":
            return {"options": []}
        return None

    def _block(self, field: str) -> str:
        """Return the id of the input block of a field, whose id may go on after a colon; else of the first one."""
        inputs = [block.block_id for block in (self.view.blocks if self.view else ()) if block.type == "input"]
        return next((id_ for id_ in inputs if field and id_.partition(":")[0] == field), next(iter(inputs), ""))


async def send(context: AsyncBoltContext, cause: Cause, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
    """Send a text to the person: on the Home tab, else over the `response_url`, else as an ephemeral message.

    Raises what the client raises when Slack refuses or can't be reached.
    """
    respond = context.respond
    if cause.is_home and respond:
        await respond(text)
        return
    if respond and context.response_url and (cause.command or cause.type == _CLICK):
        with suppress(aiohttp.ClientError, TimeoutError):  # an ephemeral message follows
            answer = await respond(
                text, blocks, response_type="ephemeral", replace_original=False, thread_ts=cause.thread or None
            )
            if answer.status_code == HTTPStatus.OK:
                return
    await send_ephemeral(context.client, cause.person, cause.place, text, thread_ts=cause.thread, blocks=blocks)


class TimelyAck(AsyncAck):
    """An acknowledgement that Slack gets in time.

    Args:
        context: the context of the payload.
        cause: the payload.

    Attributes:
        late: whether the listener took too long, so that the person sees `answers.CHECKING`.
    """

    def __init__(self, context: AsyncBoltContext, cause: Cause) -> None:
        self.response = None
        self.late = False
        self._context = context
        self._cause = cause
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + ACK_WITHIN
        self._timer: asyncio.TimerHandle | None = None
        self._announcing: asyncio.Task[None] | None = None

    @property
    def started(self) -> bool:
        """Whether a listener runs that has to acknowledge."""
        return self._timer is not None

    def start(self) -> None:
        """Start the clock, when a listener begins that has not been acknowledged by Bolt."""
        if self.response is None:
            self._timer = self._loop.call_at(self._due, self.expire)

    def expire(self) -> None:
        """Acknowledge for a listener that takes too long, and say so to the person."""
        if self.response is not None:
            return
        self.late = True
        body = self._cause.acknowledgement(answers.CHECKING)
        if body is None and self._cause.type == "view_submission":
            body = {"response_action": "update", "view": interim_modals.checking().to_dict()}
        self.response = BoltResponse(status=200, body=body or "")
        log.warning("acknowledged_late", surface=self._cause.command or self._cause.type, user=self._cause.person)
        if body is None:
            self._announcing = asyncio.create_task(self._send(answers.CHECKING))

    async def announced(self) -> None:
        """Wait until the person has been sent `answers.CHECKING`, so that what happened is read after it."""
        if self._announcing is not None:
            await self._announcing

    async def __call__(self, text: str | dict[str, Any] = "", *args: Any, **kwargs: Any) -> BoltResponse:
        """Acknowledge; if the time is over, deliver the same answer to the person instead."""
        if self._timer is not None:
            self._timer.cancel()
        if not self.late:
            return await super().__call__(text, *args, **kwargs)
        await self.announced()
        await self._deliver(str(text), **kwargs)
        return BoltResponse(status=200)

    async def _deliver(
        self,
        text: str,
        *,
        blocks: list[dict[str, Any]] | None = None,
        errors: dict[str, str] | None = None,
        view: View | None = None,
        **_: Any,
    ) -> None:
        if errors:
            await self._send("\n".join(errors.values()))
        elif self._cause.type == "view_submission":
            await self.show(view or interim_modals.submitted())
        elif text:
            await self._send(text, blocks)

    async def show(self, view: View) -> None:
        """Show a view in place of the form; if the form was closed, send what it says."""
        form = self._cause.view.id if self._cause.view else ""
        try:
            await self._context.client.views_update(view_id=form, view=view)
        except (SlackApiError, aiohttp.ClientError, TimeoutError) as error:
            log.info("late_answer_without_its_form", error=reason_of(error))
            blocks = [block for block in view.to_dict()["blocks"] if block["type"] in _SHOWN_IN_MESSAGES]
            await self._send(answers.FORM_CLOSED, blocks)

    async def _send(self, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
        """Send a text; that it could not be sent must not fail the listener, whose work may be done already."""
        try:
            await send(self._context, self._cause, text, blocks)
        except Exception:
            log.warning("late_answer_not_sent", user=self._cause.person, exc_info=True)


class _EphemeralRespond(AsyncRespond):
    """`respond` for a payload whose `response_url` isn't Slack's: sends an ephemeral message in its place."""

    def __init__(self, client: AsyncWebClient, cause: Cause) -> None:
        super().__init__(response_url=None)
        self._client = client
        self._cause = cause

    async def __call__(self, text: str | dict[str, Any] = "", *args: Any, **kwargs: Any) -> WebhookResponse:
        blocks = args[0] if args else kwargs.get("blocks")
        cause = self._cause
        await send_ephemeral(self._client, cause.person, cause.place, str(text), thread_ts=cause.thread, blocks=blocks)
        return WebhookResponse(url="", status_code=200, body="ok", headers={})


def prepare(api_url: str, on_home: Callable[[str], AsyncRespond]) -> Callable[..., Awaitable[None]]:
    """Return Bolt's first middleware (`before_authorize`): it prepares how a payload is answered.

    Args:
        api_url: the base of Slack's Web API, `slack.api_url`; a `response_url` may also be on this scheme and host.
        on_home: returns the `respond` of a person, by their user id, who clicks on the Home tab.
    """
    own = "/".join([*api_url.split("/")[:3], ""])

    async def prepared(
        body: dict[str, Any],
        context: AsyncBoltContext,
        client: AsyncWebClient,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt's name
    ) -> None:
        cause = Cause.read(body)
        url = context.get("response_url")
        if url is not None and not (isinstance(url, str) and (url.startswith(own) or _SLACK_URL.match(url))):
            log.warning("foreign_response_url", surface=cause.command or cause.type, user=cause.person)
            for place in (context, body):
                place.pop("response_url", None)
                place.pop("response_urls", None)
            context["respond"] = _EphemeralRespond(client, cause)
        if cause.is_home and cause.type == _CLICK and cause.person:
            context["respond"] = on_home(cause.person)
        context["ack"] = TimelyAck(context, cause)
        await next()

    return prepared


def register(app: AsyncApp) -> None:
    """Start the clock of every acknowledgement when its listener starts."""

    async def started(ack: AsyncAck) -> None:
        if isinstance(ack, TimelyAck):
            ack.start()

    app.listener_runner.listener_start_handler = AsyncCustomListenerStartHandler(app.logger, started)
