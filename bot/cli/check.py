"""`rollcall check`: checks the configuration, Slack and every connection, and prints a table."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

import typer
from aiohttp import ClientError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import log
from bot.bootstrap import make_providers
from bot.cli.common import ConfigPath, fail
from bot.commands.manifest import BOT_SCOPES
from bot.config import ConfigurationError, Settings, load
from handlers.clients.errors import error_code
from handlers.clients.web_api import probe, slack_client, slack_session
from providers.base import (
    AccountState,
    GroupNotFound,
    InvalidRequest,
    NotSupported,
    Provider,
    ProviderError,
    Usage,
)

CHECK_TIMEOUT = 30.0
"""Seconds for all reads from one connection together."""
MAX_LIMITS = 2
"""How many limits of a connection are shown, besides those that are nearly used up."""
NEAR_LIMIT = 0.8
"""The used fraction of a limit from which it is marked as nearly used up."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table: what was checked, whether it is good, and the details in lines."""

    subject: str
    ok: bool
    detail: str


def check(config: ConfigPath = None) -> None:
    """Check the configuration, Slack, and the credentials and account of every connection."""
    log.configure(json_lines=False)
    try:
        settings = load(config)
        findings = asyncio.run(run_checks(settings))
    except ConfigurationError as error:
        fail(*error.lines)
    table = Table("", "Check", "Result", box=None, pad_edge=False)
    for finding in findings:
        table.add_row("ok" if finding.ok else "FAILED", finding.subject, Text(finding.detail))
    console = Console()
    console.print(table)
    if failed := sum(not finding.ok for finding in findings):
        console.print(f"\n{counted(failed, 'check')} failed.")
        raise typer.Exit(1)


async def run_checks(settings: Settings, *, max_wait: float = CHECK_TIMEOUT) -> list[Finding]:
    """Check everything: all connections concurrently, each for at most `max_wait` seconds."""
    findings = [Finding("configuration", ok=True, detail=_sizes(settings)), *await _slack(settings)]
    providers = make_providers(settings)
    try:
        findings += await asyncio.gather(
            *(_connection(name, p, _aliases(settings, name), max_wait) for name, p in providers.items())
        )
    finally:
        for provider in providers.values():
            await provider.aclose()
    return findings


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 group`, `1,000 groups`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _sizes(settings: Settings) -> str:
    sizes = {
        "connection": len(settings.connections),
        "group": len(settings.groups),
        "role": len(settings.roles),
        "approval rule": len(settings.approvals),
    }
    return ", ".join(counted(size, noun) for noun, size in sizes.items())


def _aliases(settings: Settings, connection: str) -> dict[str, str]:
    """Return the ids of a connection's groups by their aliases."""
    return {alias: group.id for alias, group in settings.groups.items() if group.connection == connection}


async def _slack(settings: Settings) -> list[Finding]:
    """Check the tokens, the scopes, and the channels in which the bot has to post."""
    try:
        credentials = settings.require_slack()
        async with slack_session() as session:
            client = slack_client(settings, credentials.bot_token, session)
            identity = await probe(client, credentials)
            granted = {s.strip() for s in str(identity.headers.get("x-oauth-scopes", "")).split(",") if s.strip()}
            names = ("approvals_channel", "alerts_channel")
            channels = {name: getattr(settings.slack, name, None) for name in names}
            posting = [
                await _channel(client, f"slack.{name}", channel, public="chat:write.public" in granted)
                for name, channel in channels.items()
                if channel
            ]
    except ConfigurationError as error:
        return [Finding("Slack", ok=False, detail=str(error))]
    missing = sorted(set(BOT_SCOPES) - granted) if granted else []
    mode = "Socket Mode" if credentials.socket_mode else "HTTP"
    detail = f"{identity['team']} as {identity['user']}, {mode}"
    if missing:
        detail = f"missing scopes: {', '.join(missing)}; reinstall the app"
    return [Finding("Slack", ok=not missing, detail=detail), *posting]


async def _channel(client: AsyncWebClient, key: str, channel: str, *, public: bool) -> Finding:
    """Check that the bot can post in a channel (conversations.info); `public`: in public ones without being in them."""
    try:
        info = (await client.conversations_info(channel=channel))["channel"]
    except SlackApiError as error:
        code = error_code(error)
        closed = f"{channel} doesn't exist, or it's private and the bot isn't in it. Invite the bot there."
        return Finding(
            key, ok=False, detail=closed if code == "channel_not_found" else f"{channel}: Slack said “{code}”"
        )
    except (ClientError, TimeoutError) as error:
        return Finding(key, ok=False, detail=f"{channel}: no answer from Slack ({type(error).__name__})")
    name = f"#{info.get('name') or channel}"
    if info.get("is_archived"):
        return Finding(key, ok=False, detail=f"{name} is archived. Choose another channel.")
    if not info.get("is_member") and (info.get("is_private") or not public):
        return Finding(key, ok=False, detail=f"The bot isn't in {name}. Invite it there.")
    return Finding(key, ok=True, detail=name)


async def _connection(name: str, provider: Provider, aliases: Mapping[str, str], max_wait: float) -> Finding:
    """Check a connection. Its account's state decides; groups and limits are shown if they can be read."""
    subject = f"connection {name}"
    deadline = asyncio.get_running_loop().time() + max_wait
    try:
        async with asyncio.timeout_at(deadline):
            account = await provider.account()
    except ProviderError as error:
        return Finding(subject, ok=False, detail=error.explanation)
    except TimeoutError:
        return Finding(subject, ok=False, detail=f"no answer within {max_wait:g} seconds")
    state = str(account.state) if account.detail in {"", account.state} else f"{account.state}, {account.detail}"
    if account.state in {AccountState.DISCONNECTED, AccountState.RESTRICTED}:
        return Finding(subject, ok=False, detail=state)
    groups, limits = await asyncio.gather(
        _read("groups", _groups(provider, aliases), deadline), _read("limits", _limits(provider), deadline)
    )
    lines = [f"{state}; {groups.text}", *groups.problems, limits.text]
    return Finding(subject, ok=not groups.problems, detail="\n".join(filter(None, lines)))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was read: a text, and a line for each problem that fails the check."""

    text: str = ""
    problems: tuple[str, ...] = ()


async def _read(what: str, reading: Awaitable[_Reading], deadline: float) -> _Reading:
    """Return the result of a read, or why it failed; nothing if the provider doesn't support it."""
    try:
        async with asyncio.timeout_at(deadline):
            return await reading
    except NotSupported:
        return _Reading()
    except ProviderError as error:
        return _Reading(f"{what} not read: {error.explanation}")
    except TimeoutError:
        return _Reading(f"{what} not read in time")


async def _groups(provider: Provider, aliases: Mapping[str, str]) -> _Reading:
    """Count the groups that the account sees, and name the aliases of groups that it doesn't see."""
    ids = {group.id async for group in provider.groups()}
    missing = [alias for alias, id_ in aliases.items() if id_ not in ids and not await _exists(provider, id_)]
    problems = [
        f"groups.{alias}: the account doesn't see {aliases[alias]}. Check the id, or add the account to the group."
        for alias in missing
    ]
    return _Reading(counted(len(ids), "group"), tuple(problems))


async def _exists(provider: Provider, group_id: str) -> bool:
    """Return whether a group that the list doesn't have can be read: some lists are late."""
    try:
        await provider.group(group_id)
    except (GroupNotFound, InvalidRequest):
        return False
    return True


async def _limits(provider: Provider) -> _Reading:
    """Return the most used limits, and all that are nearly used up."""
    usages = sorted(await provider.limits(), key=_share, reverse=True)
    shown = [usage for place, usage in enumerate(usages) if place < MAX_LIMITS or _share(usage) >= NEAR_LIMIT]
    return _Reading(f"limits: {', '.join(map(_limit, shown))}" if shown else "")


def _limit(usage: Usage) -> str:
    if usage.limit is None:
        return f"{usage.name} {_number(usage.used or 0)} used"
    if usage.used is None:
        return f"{usage.name} at most {_number(usage.limit)}"
    share = _share(usage)
    mark = " (USED UP)" if share >= 1 else " (NEARLY USED UP)" if share >= NEAR_LIMIT else ""
    return f"{usage.name} {_number(usage.used)} of {_number(usage.limit)}{mark}"


def _number(value: float) -> str:
    """Return a number for people: `1,000,000`, `2.5`."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _share(usage: Usage) -> float:
    """Return the used fraction of a limit, 0 if it is unknown."""
    if usage.used is None or usage.limit is None:
        return 0.0
    return usage.used / usage.limit if usage.limit > 0 else 1.0
