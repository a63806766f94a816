"""`rollcall check`: whether the configuration, Slack and every connection would work, each as one row."""

import asyncio
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.app import make_providers, slack_client, slack_session
from bot.manifest import BOT_SCOPES
from bot.settings import ConfigurationError, Settings
from handlers.errors import error_word
from providers.base import AccountState, Provider, ProviderError

TIMEOUT = 30
"""Seconds after which a connection counts as not answering."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: what was looked at, whether it is good, and what was seen."""

    subject: str
    ok: bool
    detail: str


async def check(settings: Settings) -> list[Finding]:
    """Look at everything, all connections at once."""
    findings = [Finding("configuration", ok=True, detail=_sizes(settings)), await _slack(settings)]
    providers = make_providers(settings)
    try:
        findings += await asyncio.gather(*(_connection(name, p) for name, p in providers.items()))
    finally:
        for provider in providers.values():
            await provider.aclose()
    return findings


def _sizes(settings: Settings) -> str:
    return (
        f"{len(settings.connections)} connections, {len(settings.groups)} groups, {len(settings.roles)} roles, "
        f"{len(settings.approvals)} approval rules"
    )


async def _slack(settings: Settings) -> Finding:
    try:
        credentials = settings.require_slack()
    except ConfigurationError as error:
        return Finding("slack", ok=False, detail=str(error))
    mode = "Socket Mode" if credentials.socket_mode else "HTTP"
    async with slack_session() as session:
        client = slack_client(settings, credentials.bot_token, session)
        try:
            identity = await client.auth_test()
            if credentials.app_token is not None:
                await AsyncWebClient(base_url=settings.slack.api_url, session=session).apps_connections_open(
                    app_token=credentials.app_token.get_secret_value()
                )
        except SlackApiError as error:
            return Finding("slack", ok=False, detail=f"Slack answers {error_word(error) or 'nothing of its own'}")
        except (aiohttp.ClientError, TimeoutError) as error:
            return Finding(
                "slack", ok=False, detail=f"no answer from {settings.slack.api_url} ({type(error).__name__})"
            )
    granted = {s.strip() for s in str(identity.headers.get("x-oauth-scopes", "")).split(",") if s.strip()}
    missing = sorted(set(BOT_SCOPES) - granted) if granted else []
    if missing:
        return Finding("slack", ok=False, detail=f"missing scopes: {', '.join(missing)}; install the app again")
    return Finding("slack", ok=True, detail=f"{identity['team']} as {identity['user']}, {mode}")


async def _connection(name: str, provider: Provider) -> Finding:
    subject = f"connection {name}"
    try:
        async with asyncio.timeout(TIMEOUT):
            account = await provider.account()
    except ProviderError as error:
        return Finding(subject, ok=False, detail=f"{error.message} {error.words}".strip())
    except TimeoutError:
        return Finding(subject, ok=False, detail=f"no answer within {TIMEOUT} seconds")
    good = account.state not in {AccountState.DISCONNECTED, AccountState.RESTRICTED}
    return Finding(subject, ok=good, detail=f"{account.state}, {account.detail}" if account.detail else account.state)
