"""`rollcall check`: whether the configuration, Slack and every connection would work, each as one row."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from bot.bootstrap import make_providers
from bot.commands.manifest import BOT_SCOPES
from bot.config import ConfigurationError, Settings
from handlers.clients.web_api import probe, slack_client, slack_session
from providers.base import AccountState, Action, NotSupported, Provider, ProviderError, Usage

TIMEOUT = 30.0
"""Seconds that everything which is read from one connection may take together."""
NEAR = 0.8
"""The part of an allowance from which on it is near its end."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row: what was looked at, whether it is good, and what was seen, in lines."""

    subject: str
    ok: bool
    detail: str


async def check(settings: Settings, *, within: float = TIMEOUT) -> list[Finding]:
    """Look at everything, all connections at once, each for at most `within` seconds."""
    findings = [Finding("configuration", ok=True, detail=_sizes(settings)), await _slack(settings)]
    providers = make_providers(settings)
    try:
        findings += await asyncio.gather(
            *(_connection(name, p, _aliases(settings, name), within) for name, p in providers.items())
        )
    finally:
        for provider in providers.values():
            await provider.aclose()
    return findings


def _sizes(settings: Settings) -> str:
    return (
        f"{len(settings.connections)} connections, {len(settings.groups)} groups, {len(settings.roles)} roles, "
        f"{len(settings.approvals)} approval rules"
    )


def _aliases(settings: Settings, connection: str) -> dict[str, str]:
    """Give the ids of a connection's groups by their aliases."""
    return {alias: group.id for alias, group in settings.groups.items() if group.connection == connection}


async def _slack(settings: Settings) -> Finding:
    try:
        credentials = settings.require_slack()
        async with slack_session() as session:
            identity = await probe(slack_client(settings, credentials.bot_token, session), credentials)
    except ConfigurationError as error:
        return Finding("slack", ok=False, detail=str(error))
    granted = {s.strip() for s in str(identity.headers.get("x-oauth-scopes", "")).split(",") if s.strip()}
    missing = sorted(set(BOT_SCOPES) - granted) if granted else []
    if missing:
        return Finding("slack", ok=False, detail=f"missing scopes: {', '.join(missing)}; install the app again")
    mode = "Socket Mode" if credentials.socket_mode else "HTTP"
    return Finding("slack", ok=True, detail=f"{identity['team']} as {identity['user']}, {mode}")


async def _connection(name: str, provider: Provider, aliases: Mapping[str, str], within: float) -> Finding:
    """Look at a connection: whether its account works decides, and whatever else can be read is told."""
    subject = f"connection {name}"
    deadline = asyncio.get_running_loop().time() + within
    try:
        async with asyncio.timeout_at(deadline):
            account = await provider.account()
    except ProviderError as error:
        return Finding(subject, ok=False, detail=error.explanation)
    except TimeoutError:
        return Finding(subject, ok=False, detail=f"no answer within {within:g} seconds")
    state = str(account.state) if account.detail in {"", account.state} else f"{account.state}, {account.detail}"
    if account.state in {AccountState.DISCONNECTED, AccountState.RESTRICTED}:
        return Finding(subject, ok=False, detail=state)
    seen = await asyncio.gather(
        _told("groups", _groups(provider, aliases), deadline), _told("limits", _limits(provider), deadline)
    )
    return Finding(subject, ok=True, detail="\n".join(filter(None, [state, *seen, _gaps(provider)])))


async def _told(what: str, reading: Awaitable[str], deadline: float) -> str:
    """Give what a reading tells, or why it tells nothing; empty where the provider does not offer it."""
    try:
        async with asyncio.timeout_at(deadline):
            return await reading
    except NotSupported:
        return ""
    except ProviderError as error:
        return f"{what}: not read: {error.explanation}"
    except TimeoutError:
        return f"{what}: not read in time"


async def _groups(provider: Provider, aliases: Mapping[str, str]) -> str:
    """Count the groups that the account sees, and name the aliases of those that it does not."""
    ids = {group.id async for group in provider.groups()}
    missing = [alias for alias, id_ in aliases.items() if id_ not in ids]
    lacking = f"; not among them: {', '.join(missing)}" if missing else ""
    return f"groups: {len(ids):,} visible{lacking}"


async def _limits(provider: Provider) -> str:
    """Tell every allowance, those near their end first."""
    usages = sorted(await provider.limits(), key=_share, reverse=True)
    return f"limits: {', '.join(map(_allowance, usages)) or 'none told'}"


def _gaps(provider: Provider) -> str:
    """Say what the provider cannot do; empty where it can do everything."""
    cannot = [action for action in Action if action not in provider.abilities]
    return f"cannot: {', '.join(cannot)}" if cannot else ""


def _allowance(usage: Usage) -> str:
    if usage.limit is None:
        return f"{usage.name} {usage.used or 0:,g} used"
    if usage.used is None:
        return f"{usage.name} at most {usage.limit:,g}"
    share = _share(usage)
    mark = " (USED UP)" if share >= 1 else " (NEAR ITS END)" if share >= NEAR else ""
    return f"{usage.name} {usage.used:,g} of {usage.limit:,g}{mark}"


def _share(usage: Usage) -> float:
    """Tell how much of an allowance is used, from 0; 0 where that is not told."""
    if usage.used is None or usage.limit is None:
        return 0.0
    return usage.used / usage.limit if usage.limit > 0 else 1.0
