"""`rollcall check`: checks the configuration, Slack and every connection, and prints a table."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import log
from bot.bootstrap import make_providers
from bot.cli.common import ConfigPath, fail, load_settings
from bot.commands.manifest import BOT_SCOPES
from bot.config import ConfigurationError, Settings
from handlers.clients.web_api import probe, slack_client, slack_session
from providers.base import AccountState, Action, NotSupported, Provider, ProviderError, Usage

CHECK_TIMEOUT = 30.0
"""Seconds for all reads from one connection together."""
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
    settings = load_settings(config)
    log.configure(json_lines=False)
    try:
        findings = asyncio.run(run_checks(settings))
    except ConfigurationError as error:
        fail(str(error))
    table = Table("", "Check", "Result")
    for finding in findings:
        table.add_row("ok" if finding.ok else "FAILED", finding.subject, Text(finding.detail))
    Console().print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


async def run_checks(settings: Settings, *, max_wait: float = CHECK_TIMEOUT) -> list[Finding]:
    """Check everything: all connections concurrently, each for at most `max_wait` seconds."""
    findings = [Finding("configuration", ok=True, detail=_sizes(settings)), await _slack(settings)]
    providers = make_providers(settings)
    try:
        findings += await asyncio.gather(
            *(_connection(name, p, _aliases(settings, name), max_wait) for name, p in providers.items())
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
    """Return the ids of a connection's groups by their aliases."""
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
        return Finding("slack", ok=False, detail=f"missing scopes: {', '.join(missing)}; reinstall the app")
    mode = "Socket Mode" if credentials.socket_mode else "HTTP"
    return Finding("slack", ok=True, detail=f"{identity['team']} as {identity['user']}, {mode}")


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
    details = await asyncio.gather(
        _read("groups", _groups(provider, aliases), deadline), _read("limits", _limits(provider), deadline)
    )
    return Finding(subject, ok=True, detail="\n".join(filter(None, [state, *details, _unsupported(provider)])))


async def _read(what: str, reading: Awaitable[str], deadline: float) -> str:
    """Return the result of a read, or why it failed; "" if the provider doesn't support it."""
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
    """Count the groups that the account sees, and name the aliases of groups that it doesn't see."""
    ids = {group.id async for group in provider.groups()}
    missing = [alias for alias, id_ in aliases.items() if id_ not in ids]
    not_visible = f"; not visible: {', '.join(missing)}" if missing else ""
    return f"groups: {len(ids):,} visible{not_visible}"


async def _limits(provider: Provider) -> str:
    """Return every limit, the most used first."""
    usages = sorted(await provider.limits(), key=_share, reverse=True)
    return f"limits: {', '.join(map(_limit, usages)) or 'none reported'}"


def _unsupported(provider: Provider) -> str:
    """Return what the provider doesn't support; "" if it supports everything."""
    actions = [action for action in Action if action not in provider.abilities]
    return f"not supported: {', '.join(actions)}" if actions else ""


def _limit(usage: Usage) -> str:
    if usage.limit is None:
        return f"{usage.name} {usage.used or 0:,g} used"
    if usage.used is None:
        return f"{usage.name} at most {usage.limit:,g}"
    share = _share(usage)
    mark = " (USED UP)" if share >= 1 else " (NEARLY USED UP)" if share >= NEAR_LIMIT else ""
    return f"{usage.name} {usage.used:,g} of {usage.limit:,g}{mark}"


def _share(usage: Usage) -> float:
    """Return the used fraction of a limit, 0 if it is unknown."""
    if usage.used is None or usage.limit is None:
        return 0.0
    return usage.used / usage.limit if usage.limit > 0 else 1.0
