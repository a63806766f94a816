"""Slack's Web API as the bot calls it: the client, and the one look at its tokens before anything relies on them."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import ConfigurationError, Settings, SlackCredentials
from handlers.clients.errors import error_code

SLACK_TIMEOUT = 10
"""Seconds for one call of Slack's Web API."""


def slack_session() -> aiohttp.ClientSession:
    """Make the session of all calls to Slack; the time-out is the session's, the client's own counts without one."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SLACK_TIMEOUT))


def slack_client(settings: Settings, token: SecretStr, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Make the client of Slack's Web API.

    It waits and repeats only what Slack refused for its rate: whatever else fails is repeated by the workflow, which
    first looks whether it took effect.
    """
    return AsyncWebClient(
        token=token.get_secret_value(),
        base_url=settings.slack.api_url,
        session=session,
        retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=5)],
    )


async def probe(client: AsyncWebClient, credentials: SlackCredentials) -> AsyncSlackResponse:
    """Try each token once. Gives what Slack says of the bot.

    Raises:
        ConfigurationError: Slack refuses a token, or nothing answers that is Slack.
    """
    with _said_of("SLACK_BOT_TOKEN", client):
        identity = await client.auth_test()
    if credentials.app_token is not None:
        with _said_of("SLACK_APP_TOKEN", client):
            await client.apps_connections_open(app_token=credentials.app_token.get_secret_value())
    return identity


@contextmanager
def _said_of(token: str, client: AsyncWebClient) -> Iterator[None]:
    try:
        yield
    except SlackApiError as error:
        if not (word := error_code(error)):
            raise ConfigurationError(f"slack.api_url: {client.base_url} does not answer as Slack does") from None
        raise ConfigurationError(f"{token}: Slack refuses it ({word})") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConfigurationError(f"slack.api_url: no answer from {client.base_url} ({type(error).__name__})") from None
