"""A command as somebody typed it, and what the commands have in common: finding the group, and taking a request in."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain import values
from bot.domain.access import Actor, Allowed
from bot.domain.declarations import Command
from bot.domain.grammar import Typed, UsageError, read
from bot.domain.groups import Ambiguous, KnownGroup, NotFound
from bot.domain.requests import Details, request_id
from bot.domain.roster import Roster
from bot.intake import Draft, NotTaken
from handlers.services import Services
from handlers.views import answers
from handlers.views.message import Message
from handlers.views.text import cut, moment
from providers.base import Action, Capability, Operation

WITHIN = 1.5
"""Seconds that an unknown group name waits for the connections' lists: the acknowledgement is due within 3."""

Answer = str | Message


@dataclass(frozen=True, slots=True)
class Look:
    """A command that has changed nothing and only reads on: its acknowledgement need not wait for that."""

    work: Callable[[], Awaitable[Answer]]
    about: str


@dataclass(frozen=True, slots=True)
class Asked:
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

    def read(self) -> Typed | str:
        """Read what was typed, as the command declares it; else say what cannot be read."""
        typed = read(self.command, self.text)
        return self.misread(typed.message) if isinstance(typed, UsageError) else typed

    def misread(self, problem: str) -> str:
        """Say what cannot be read in it."""
        return answers.usage(self.command, problem)


@dataclass(frozen=True, slots=True)
class Met:
    """Who asks, and the group that they mean."""

    actor: Actor
    group: KnownGroup


async def meet(services: Services, asked: Asked, name: str) -> Met | str:
    """Find out who asks, and which group they call so; else what they are told."""
    actor, resolution = await asyncio.gather(
        services.usergroups.actor(asked.user), services.directory.find(name, within=WITHIN)
    )
    if isinstance(resolution, Ambiguous):
        candidates = services.shown_to(actor, resolution.candidates)
        return answers.ambiguous_group(asked.command, name, candidates)
    if isinstance(resolution, NotFound):
        return answers.unknown_group(name, services.shown_to(actor, resolution.nearest))
    return Met(actor, resolution.group)


async def time_of(services: Services, asked: Asked, typed: Typed) -> datetime | str | None:
    """Read `at:` in the person's own time zone; None where there is none, else what is wrong with it."""
    if not (written := typed.option("at")):
        return asked.misread("`at:` has no value.") if "at" in typed.options else None
    at, now = values.moment(written, await services.zones.of(asked.user)), datetime.now(UTC)
    if at is None:
        return asked.misread(f"“{cut(written, 60)}” is no moment: write it as 2026-12-01 09:00.")
    if at <= now:
        return f"Nothing was done: that moment is over ({moment(at)})."
    if at > now + values.FURTHEST:
        return f"Nothing was done: that moment is more than a year away ({moment(at)})."
    return at


async def meet_at(services: Services, asked: Asked, typed: Typed) -> tuple[Met, datetime | None] | str:
    """Find the group and read `at:` at the same time; else what they are told."""
    met, at = await asyncio.gather(meet(services, asked, typed.group), time_of(services, asked, typed))
    if isinstance(met, str):
        return met
    return at if isinstance(at, str) else (met, at)


def draft(
    asked: Asked, operation: Operation, met: Met, typed: Typed, *, roster: Roster | None = None, details: Details
) -> Draft:
    """Make the draft of what somebody typed."""
    return Draft(
        id=asked.id,
        operation=operation,
        group=met.group,
        roster=roster or Roster(),
        reason=typed.option("reason"),
        requester=met.actor,
        channel=asked.channel,
        details=details,
    )


async def take(services: Services, wanted: Draft) -> str:
    """Take a draft in, and give what the person is told."""
    result = await services.intake.take(wanted)
    if isinstance(result, NotTaken):
        return answers.refused(result.reason, wanted.roster, wanted.id)
    warning = services.warnings.get((wanted.group.connection, wanted.group.id), "")
    return answers.taken(result.request, wanted.roster, again=result.again, warning=warning)


async def refusal(services: Services, asked: Asked, met: Met, action: Action) -> str:
    """Say why somebody may not have read what they asked for, which the audit journal keeps; empty where they may."""
    decision = services.rights.may_act(met.actor, action, met.group)
    if isinstance(decision, Allowed):
        return ""
    await services.audit.refused(asked.user, asked.command.verb, met.group, decision.reason_code, request_id=asked.id)
    return answers.referred(decision.reason, asked.id)


async def refused_use(services: Services, asked: Asked, actor: Actor, capability: Capability) -> str:
    """Say the same of a capability of Rollcall itself."""
    decision = services.rights.may_use(actor, capability)
    if isinstance(decision, Allowed):
        return ""
    await services.audit.refused(asked.user, asked.command.verb, None, decision.reason_code, request_id=asked.id)
    return answers.referred(decision.reason, asked.id)
