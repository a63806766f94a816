"""A typed command, and what commands share: parsing, resolving the group, checking permission, submitting."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.commands.parser import ParsedCommand, UsageError, parse
from bot.commands.times import InvalidTime, parse_start
from bot.commands.usage import Command
from bot.domain.access import Actor, Capability, Denied
from bot.domain.groups import GroupAmbiguous, GroupUnknown, KnownGroup
from bot.domain.requests import RequestDraft, RequestOptions, request_id
from bot.domain.roster import Roster
from handlers.errors import UserError
from handlers.services import Services
from handlers.views import answers, command_help
from handlers.views.blocks import Message
from handlers.views.text import safe_text
from providers.base import Action, Operation

GROUP_LIST_TIMEOUT = 1.5
"""Seconds that an unknown group name waits for the connections' lists: the acknowledgement is due within 3."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """An answer that is still to be read: the command changes nothing, so its acknowledgement doesn't wait for it."""

    work: Callable[[], Awaitable[Message]]
    subject: str


@dataclass(frozen=True, slots=True)
class CommandContext:
    """A typed command.

    Attributes:
        command: the command.
        text: the text after its name, as Slack sent it.
        user: the Slack user id of the person.
        team: the id of the workspace.
        channel: the channel in which it was typed.
        trigger_id: opens a form, and identifies the delivery.
        thread_ts: the thread in which it was typed; empty outside of threads.
    """

    command: Command
    text: str
    user: str
    team: str
    channel: str
    trigger_id: str
    thread_ts: str = ""

    @property
    def id(self) -> str:
        """The id of the request that the command makes; the same for every delivery of the command."""
        return request_id(self.team, self.trigger_id)

    def parse(self) -> ParsedCommand:
        """Parse the text as the command declares it. Raises `UserError`."""
        parsed = parse(self.command, self.text)
        if isinstance(parsed, UsageError):
            raise self.usage_error(parsed.message)
        return parsed

    def draft(
        self,
        resolved: "Resolved",
        parsed: ParsedCommand,
        operation: Operation,
        options: RequestOptions,
        roster: Roster | None = None,
    ) -> RequestDraft:
        """Return the draft of the request that the command asks for."""
        return RequestDraft(
            id=self.id,
            operation=operation,
            group=resolved.group,
            roster=roster or Roster(),
            reason=parsed.option("reason"),
            requester=resolved.actor,
            channel=self.channel,
            options=replace(options, thread_ts=self.thread_ts),
        )

    def usage_error(self, problem: str) -> UserError:
        """Return the error of a text that can't be used: the problem, and how the command is written."""
        return UserError(command_help.usage(self.command, problem))


@dataclass(frozen=True, slots=True)
class Resolved:
    """The person with their user groups, and the group that they named."""

    actor: Actor
    group: KnownGroup


async def resolve(services: Services, command: CommandContext, name: str) -> Resolved:
    """Find the group that the person named. Raises `UserError` if there is none, or several."""
    actor, resolution = await asyncio.gather(
        services.slack.user_groups.actor(command.user), services.directory.find(name, max_wait=GROUP_LIST_TIMEOUT)
    )
    if isinstance(resolution, GroupAmbiguous):
        candidates = services.authorizer.visible_groups(actor, resolution.candidates)
        raise UserError(answers.ambiguous_group(command.command, name, candidates))
    if isinstance(resolution, GroupUnknown):
        raise UserError(answers.unknown_group(name, services.authorizer.visible_groups(actor, resolution.nearest)))
    return Resolved(actor, resolution.group)


async def parse_time_option(services: Services, command: CommandContext, parsed: ParsedCommand) -> datetime | None:
    """Read `at:` in the person's own time zone; None if it wasn't typed. Raises `UserError`."""
    if not (written := parsed.option("at")):
        if "at" in parsed.options:
            raise command.usage_error("`at:` has no value.")
        return None
    zone = await services.slack.profiles.time_zone_of(command.user)
    try:
        return parse_start(written, zone, datetime.now(UTC))
    except InvalidTime as error:
        raise UserError(f"Nothing was done. {safe_text(str(error), 500)}") from error


async def resolve_with_time(
    services: Services, command: CommandContext, parsed: ParsedCommand
) -> tuple[Resolved, datetime | None]:
    """Find the group and read `at:` at the same time. Raises `UserError`."""
    return await asyncio.gather(resolve(services, command, parsed.group), parse_time_option(services, command, parsed))


async def require_action(services: Services, command: CommandContext, resolved: Resolved, action: Action) -> None:
    """Check that the person may do this to the group. Raises `UserError`, and records the refusal."""
    decision = services.authorizer.check(resolved.actor, action, resolved.group)
    if isinstance(decision, Denied):
        await _refuse(services, command, resolved.group, decision)


async def require_capability(services: Services, command: CommandContext, actor: Actor, capability: Capability) -> None:
    """Check that the person has a capability of Rollcall itself. Raises `UserError`, and records the refusal."""
    decision = services.authorizer.check(actor, capability)
    if isinstance(decision, Denied):
        await _refuse(services, command, None, decision)


async def _refuse(services: Services, command: CommandContext, group: KnownGroup | None, denied: Denied) -> None:
    verb = command.command.verb
    await services.stores.audit.record_refusal(command.user, verb, group, denied.code, request_id=command.id)
    raise UserError(denied.text, reference=command.id)
