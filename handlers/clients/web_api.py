"""The client of Slack's Web API, and the check of its tokens at start."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from pydantic import SecretStr
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.config import ConfigurationError, Settings, SlackCredentials
from handlers.clients.errors import error_code

SLACK_TIMEOUT = 10
"""Seconds for one call of Slack's Web API."""
MAX_RATE_LIMIT_WAIT = 300.0
"""The longest wait in seconds after a rate limit."""


class _RateLimitHandler(AsyncRateLimitErrorRetryHandler):
    """Waits as long as `Retry-After` says, in whole seconds, at most `MAX_RATE_LIMIT_WAIT`; without it, a second."""

    async def prepare_for_next_attempt_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> None:
        """Wait before the next attempt."""
        del request, error
        headers = {name.lower(): values for name, values in (response.headers if response else {}).items()}
        written = (headers.get("retry-after") or [""])[0]
        await asyncio.sleep(min(float(written) if written.isdecimal() else 1.0, MAX_RATE_LIMIT_WAIT))
        state.next_attempt_requested = True
        state.increment_current_attempt()


def slack_session() -> aiohttp.ClientSession:
    """Build the session of all calls to Slack. Its timeout applies; the client's own applies only without a session."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SLACK_TIMEOUT))


def slack_client(settings: Settings, token: SecretStr, session: aiohttp.ClientSession) -> AsyncWebClient:
    """Build the client of Slack's Web API.

    It retries only calls over the rate limit. The workflow retries all others, after it has checked whether they took
    effect.
    """
    return AsyncWebClient(
        token=token.get_secret_value(),
        base_url=settings.slack.api_url,
        session=session,
        retry_handlers=[_RateLimitHandler(max_retry_count=5)],
    )


async def probe(client: AsyncWebClient, credentials: SlackCredentials) -> AsyncSlackResponse:
    """Check each token, and return the bot's identity (auth.test).

    Raises:
        ConfigurationError: Slack refuses a token, or the API's URL isn't Slack's.
    """
    with _checking("SLACK_BOT_TOKEN", client):
        identity = await client.auth_test()
    if credentials.app_token is not None:
        with _checking("SLACK_APP_TOKEN", client):
            await client.apps_connections_open(app_token=credentials.app_token.get_secret_value())
    return identity


@contextmanager
def _checking(token: str, client: AsyncWebClient) -> Iterator[None]:
    try:
        yield
    except SlackApiError as error:
        if not (code := error_code(error)):
            raise ConfigurationError(f"slack.api_url: {client.base_url} does not answer as Slack does") from None
        raise ConfigurationError(f"{token}: Slack refuses it ({code})") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ConfigurationError(f"slack.api_url: no answer from {client.base_url} ({type(error).__name__})") from None
