"""The Bolt app. Every listener is registered here and nowhere else."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.tasks import OpenRequests
from handlers import actions, answering, errors, mentions, modals, shortcuts, slash_commands
from handlers.answering import Cause
from handlers.home.pages import HomePages
from handlers.home.pages import register as register_home
from handlers.payloads import MalformedPayload
from handlers.services import Services
from handlers.workspaces import checking
from providers.text import clean_json

log = structlog.get_logger(__name__)


class App(AsyncApp):
    """A Bolt app that refuses payloads without the shape on which Bolt and all listeners rely.

    Args:
        open_requests: counts the requests that aren't acknowledged yet.
        **options: Bolt's own.
    """

    def __init__(self, open_requests: OpenRequests, **options: Any) -> None:
        super().__init__(**options)
        self._open_requests = open_requests

    async def async_dispatch(self, req: AsyncBoltRequest) -> BoltResponse:
        """Clean a payload and pass it to its listener. The status of the response is 400 for another shape."""
        try:
            Cause.model_validate(clean_json(req.body))
        except MalformedPayload as error:
            log.warning("malformed_payload", fields=str(error))
            return BoltResponse(status=400, body="")
        with self._open_requests.answering():
            return await super().async_dispatch(req)


@asynccontextmanager
async def running(client: AsyncWebClient, services: Services, workspaces: Collection[str]) -> AsyncIterator[AsyncApp]:
    """Yield the Bolt app, with every listener, and keep Home pages up to date while the block runs.

    Its requests are verified by the HTTP server, or come over Socket Mode.

    Args:
        client: calls Slack.
        services: what the listeners use.
        workspaces: the ids of the workspaces whose people may use the app.
    """
    pages = HomePages(services, client)
    app = App(
        services.open_requests,
        client=client,
        request_verification_enabled=False,
        before_authorize=answering.prepare(client.base_url, pages.respond),
        raise_error_for_unhandled_request=True,
    )
    app.use(checking(workspaces))
    register_home(app, services, pages)
    for surface in (slash_commands, modals, actions, shortcuts, mentions):
        surface.register(app, services)
    answering.register(app)
    errors.register(app)
    events = services.delivery.events
    with events.subscribe(services.directory.follow), events.subscribe(pages.on_request_changed):
        try:
            yield app
        finally:
            await pages.aclose()
