"""A command as somebody typed it, and what the commands have in common: finding the group, and taking a request in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.commands import values
from bot.commands.parser import ParsedCommand, UsageError, parse
from bot.commands.usage import Command
from bot.domain.access import Actor, Allowed
from bot.domain.drafts import RequestDraft
from bot.domain.groups import GroupAmbiguous, GroupUnknown, KnownGroup
from bot.domain.requests import RequestOptions, request_id
from bot.domain.roster import Roster
from bot.services.submission import Rejected
from handlers.services import Services
from handlers.views import answers, command_help
from handlers.views.blocks import Message
from handlers.views.text import format_time, shorten
from providers.base import Action, Capability, Operation

GROUP_LIST_TIMEOUT = 1.5
"""Seconds that an unknown group name waits for the connections' lists: the acknowledgement is due within 3."""

Answer = str | Message


@dataclass(frozen=True, slots=True)
class Deferred:
    """A command that has changed nothing and only reads on: its acknowledgement need not wait for that."""

    work: Callable[[], Awaitable[Answer]]
    subject: str


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A command as somebody typed it.

    Attributes:
        command: which one.
        text: what was typed after its name, as Slack sent it.
        user: the Slack user id of who typed it.
        team: the id of the workspace.
        channel: where.
        trigger_id: opens a form, and tells one delivery from another.
    """

    command: Command
    text: str
    user: str
    team: str
    channel: str
    trigger_id: str

    @property
    def id(self) -> str:
        """The id of the request that comes of it, also when Slack delivers it twice."""
        return request_id(self.team, self.trigger_id)

    def parse(self) -> ParsedCommand | str:
        """Read what was typed, as the command declares it; else say what cannot be read."""
        typed = parse(self.command, self.text)
        return self.usage_error(typed.message) if isinstance(typed, UsageError) else typed

    def usage_error(self, problem: str) -> str:
        """Say what cannot be read in it."""
        return command_help.usage(self.command, problem)


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who asks, and the group that they mean."""

    actor: Actor
    group: KnownGroup


async def resolve(services: Services, asked: CommandContext, name: str) -> Resolved | str:
    """Find out who asks, and which group they call so; else what they are told."""
    actor, resolution = await asyncio.gather(
        services.usergroups.actor(asked.user), services.directory.find(name, max_wait=GROUP_LIST_TIMEOUT)
    )
    if isinstance(resolution, GroupAmbiguous):
        candidates = services.visible_groups(actor, resolution.candidates)
        return answers.ambiguous_group(asked.command, name, candidates)
    if isinstance(resolution, GroupUnknown):
        return answers.unknown_group(name, services.visible_groups(actor, resolution.nearest))
    return Resolved(actor, resolution.group)


async def parse_time_option(services: Services, asked: CommandContext, typed: ParsedCommand) -> datetime | str | None:
    """Read `at:` in the person's own time zone; None where there is none, else what is wrong with it."""
    if not (written := typed.option("at")):
        return asked.usage_error("`at:` has no value.") if "at" in typed.options else None
    at, now = values.parse_time(written, await services.time_zones.get(asked.user)), datetime.now(UTC)
    if at is None:
        return asked.usage_error(f"“{shorten(written, 60)}” is no moment: write it as 2026-12-01 09:00.")
    if at <= now:
        return f"Nothing was done: that moment is over ({format_time(at)})."
    if at > now + values.MAX_DELAY:
        return f"Nothing was done: that moment is more than a year away ({format_time(at)})."
    return at


async def resolve_with_time(
    services: Services, asked: CommandContext, typed: ParsedCommand
) -> tuple[Resolved, datetime | None] | str:
    """Find the group and read `at:` at the same time; else what they are told."""
    met, at = await asyncio.gather(resolve(services, asked, typed.group), parse_time_option(services, asked, typed))
    if isinstance(met, str):
        return met
    return at if isinstance(at, str) else (met, at)


def draft(
    asked: CommandContext,
    operation: Operation,
    met: Resolved,
    typed: ParsedCommand,
    *,
    roster: Roster | None = None,
    options: RequestOptions,
) -> RequestDraft:
    """Make the draft of what somebody typed."""
    return RequestDraft(
        id=asked.id,
        operation=operation,
        group=met.group,
        roster=roster or Roster(),
        reason=typed.option("reason"),
        requester=met.actor,
        channel=asked.channel,
        options=options,
    )


async def submit(services: Services, wanted: RequestDraft) -> str:
    """Take a draft in, and give what the person is told."""
    result = await services.submissions.submit(wanted)
    if isinstance(result, Rejected):
        return answers.refused(result.reason, wanted.roster, wanted.id)
    warning = services.catalog.get(wanted.group.ref).warning
    return answers.submitted(result.request, wanted.roster, again=result.already_submitted, warning=warning)


async def action_refusal(services: Services, asked: CommandContext, met: Resolved, action: Action) -> str:
    """Say why somebody may not have read what they asked for, which the audit journal keeps; empty where they may."""
    decision = services.authorizer.check(met.actor, action, met.group)
    if isinstance(decision, Allowed):
        return ""
    await services.audit.record_refusal(asked.user, asked.command.verb, met.group, decision.code, request_id=asked.id)
    return answers.with_reference(decision.reason, asked.id)


async def capability_refusal(services: Services, asked: CommandContext, actor: Actor, capability: Capability) -> str:
    """Say the same of a capability of Rollcall itself."""
    decision = services.authorizer.check_capability(actor, capability)
    if isinstance(decision, Allowed):
        return ""
    await services.audit.record_refusal(asked.user, asked.command.verb, None, decision.code, request_id=asked.id)
    return answers.with_reference(decision.reason, asked.id)
