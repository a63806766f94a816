"""A simulated workspace, the records of what was posted, and the real client between them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.storage.database import Database
from bot.storage.postings import Postings
from bot.storage.requests import RequestStore
from handlers.delivery.poster import Poster
from handlers.views.blocks import Message
from sandbox.slack import workspace
from sandbox.slack.server import SlackServer
from tests.handlers.samples import REQUEST

Post = Callable[[Message], Awaitable[workspace.Message]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    """Serve a workspace, and check at the end that it was sent nothing malformed."""
    server = SlackServer()
    async with server.serving():
        yield server
    assert server.oddities == []


@pytest.fixture
async def client(slack: SlackServer) -> AsyncIterator[AsyncWebClient]:
    """Yield a client like the bot's own, with a shorter timeout."""
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(
            slack.bot_token,
            base_url=slack.api_url,
            session=session,
            timeout=5,
            retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=5)],
        )


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/rollcall.db")
    await database.upgrade()
    await RequestStore(database).create(REQUEST, [])
    yield database
    await database.aclose()


@pytest.fixture
def poster(client: AsyncWebClient, database: Database) -> Poster:
    return Poster(client, Postings(database))


@pytest.fixture
def post(slack: SlackServer, client: AsyncWebClient) -> Post:
    """Post a message and update it with itself, so that Slack checks both, and return it as Slack has it."""

    async def posting(message: Message) -> workspace.Message:
        answer = await client.chat_postMessage(channel="C0LAUNCH", text=message.text, blocks=message.blocks)
        await client.chat_update(channel="C0LAUNCH", ts=answer["ts"], text=message.text, blocks=message.blocks)
        return slack.messages("C0LAUNCH")[-1]

    return posting


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    """The log of the test, as structured entries."""
    with capture_logs() as entries:
        yield entries
