"""The slash commands: each runs as `/wa-add …` and as `/wa add …`, and opens its form or its list without arguments."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from bot.commands.catalogue import COMMANDS
from bot.commands.usage import Command
from handlers import modals
from handlers.commands import HANDLERS, audit, confirmations, groups, is_read_only, requests, resolve_command
from handlers.commands.context import CommandContext, Deferred
from handlers.commands.reply import Reply, message_payload
from handlers.errors import mark_read_only
from handlers.payloads import Payload
from handlers.services import Services


class SlashCommand(Payload):
    """The payload of a slash command, as far as it is used (docs.slack.dev, "Implementing slash commands")."""

    command: str
    text: str = ""
    user_id: str
    team_id: str
    channel_id: str
    trigger_id: str


def register(app: AsyncApp, services: Services) -> None:
    """Register the commands, by one listener, since Bolt tries each listener, and the buttons of their answers."""
    commands = {command.name: command for command in COMMANDS}
    app.command(re.compile("|".join(f"^{re.escape(name)}$" for name in commands)))(_listener(services, commands))
    for module in (confirmations, groups, requests, audit):
        module.register(app, services)


def _listener(services: Services, commands: Mapping[str, Command]) -> Callable[..., Awaitable[None]]:
    async def listen(
        ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext, respond: AsyncRespond, client: AsyncWebClient
    ) -> None:
        began = asyncio.get_running_loop().time()
        payload = SlashCommand.model_validate(body)
        command, text = resolve_command(commands[payload.command], payload.text)
        if is_read_only(command, text):
            mark_read_only(context)
        typed = CommandContext(command, text, payload.user_id, payload.team_id, payload.channel_id, payload.trigger_id)
        if command.opens_form and not text.strip():
            await modals.open_form(
                services, client, command.verb, trigger_id=typed.trigger_id, channel=typed.channel, user=typed.user
            )
            await ack()
            return
        answer = await HANDLERS[command.verb](services, typed)
        if isinstance(answer, Deferred):
            reply = Reply(respond, client, typed.user, typed.channel)
            await reply.send_deferred(answer, ack, waited=asyncio.get_running_loop().time() - began)
        else:
            await ack(**message_payload(answer))

    return listen
