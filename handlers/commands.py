"""The slash commands."""

import asyncio
import html
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain import roster
from bot.domain.access import Allowed
from bot.domain.grammar import UsageError, split_command
from bot.domain.groups import Ambiguous, NotFound, search
from bot.domain.requests import request_id
from bot.intake import Draft, Refused
from handlers.errors import is_too_late
from handlers.payloads import Payload
from handlers.services import Services
from handlers.views import add_modal, answers
from providers.base import Operation

WITHIN = 1.5
"""Seconds that an unknown group name waits for the connections' lists: the acknowledgement is due within 3."""
TO_OPEN = 2.5
"""Seconds that Slack has to open a form: the acknowledgement is due within 3."""


class SlashCommand(Payload):
    """The payload of a slash command, as far as it is used (docs.slack.dev, "Implementing slash commands")."""

    command: str
    text: str = ""
    user_id: str
    team_id: str
    channel_id: str
    trigger_id: str


def register(app: AsyncApp, services: Services) -> None:
    """Hang the commands on the app."""
    commands = Commands(services)
    app.command("/wa-add")(commands.add)
    app.command("/wa-groups")(commands.groups)
    app.command("/wa")(commands.help_or_verb)


class Commands:
    """The listeners of the slash commands."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def add(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Take a typed request in; with no arguments, open the modal."""
        command = SlashCommand.model_validate(body)
        if command.text.strip():
            await ack(await _add(self._services, command))
        else:
            await ack(await _open_form(command, client))

    async def groups(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """List the groups that the person may read."""
        await ack(await _groups(self._services, SlashCommand.model_validate(body)))

    async def help_or_verb(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """Run `/wa add …` as `/wa-add …`, or show the help."""
        verb, rest, *_ = [*str(body.get("text") or "").split(maxsplit=1), "", ""]
        inner = body | {"text": rest}
        match verb.casefold():
            case "add":
                await self.add(ack, inner, client)
            case "groups":
                await self.groups(ack, inner)
            case _:
                await ack(answers.help_text(html.unescape(verb)))


async def _add(services: Services, command: SlashCommand) -> str:
    """Take a typed `/wa-add` in, and give what the person is told."""
    parsed = split_command(command.text)
    if isinstance(parsed, UsageError):
        return answers.usage(parsed.message)
    actor, resolution = await asyncio.gather(
        services.usergroups.actor(command.user_id), services.directory.find(parsed.group, within=WITHIN)
    )
    if isinstance(resolution, Ambiguous):
        return answers.ambiguous_group(parsed.group, services.shown_to(actor, resolution.candidates))
    if isinstance(resolution, NotFound):
        return answers.unknown_group(parsed.group, services.shown_to(actor, resolution.nearest))
    group = resolution.group
    people = roster.parse(parsed.participants, default_region=services.regions[group.connection])
    result = await services.intake.take(
        Draft(
            id=request_id(command.team_id, command.trigger_id),
            operation=Operation.ADD,
            group=group,
            roster=people,
            reason=parsed.reason,
            requester=actor,
            channel=command.channel_id,
        )
    )
    if isinstance(result, Refused):
        return "\n".join([result.reason, *answers.rejected(people)])
    return answers.taken(result.request, people, again=result.again)


async def _open_form(command: SlashCommand, client: AsyncWebClient) -> str:
    """Open the modal of `/wa-add`, and give what the person is told where that comes too late."""
    try:
        async with asyncio.timeout(TO_OPEN):
            await client.views_open(trigger_id=command.trigger_id, view=add_modal.build(command.channel_id))
    except TimeoutError:
        return answers.TOO_LATE
    except SlackApiError as error:
        if not is_too_late(error):
            raise
        return answers.TOO_LATE
    return ""


async def _groups(services: Services, command: SlashCommand) -> str:
    """List the groups that the person may read and whose name holds what they typed."""
    typed = html.unescape(command.text.strip())
    actor, _ = await asyncio.gather(
        services.usergroups.actor(command.user_id), services.directory.refresh(within=WITHIN)
    )
    decisions = [
        (group, services.intake.may(actor, Operation.LIST, group))
        for group in search(typed, services.directory.known())
    ]
    allowed = [group for group, decision in decisions if isinstance(decision, Allowed)]
    if allowed:
        return answers.groups(allowed)
    refused = [decision.reason for _, decision in decisions if not isinstance(decision, Allowed)]
    return refused[0] if refused else answers.no_groups(typed)
