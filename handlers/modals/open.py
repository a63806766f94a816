"""Opening a modal or a form within the lifetime of its trigger."""

import asyncio
import secrets

from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Capability, DenialCode
from bot.domain.groups import GroupFound, KnownGroup, resolve
from bot.services.authorization import FORM_ACTIONS
from handlers.clients.errors import error_code, is_trigger_expired
from handlers.errors import UserError
from handlers.modals import settings
from handlers.services import Services
from handlers.views import command_help, inputs, request_forms, settings_modal
from handlers.views.inputs import Prefill

OPEN_TIMEOUT = 2.5
"""Seconds that Slack has to open a modal: a trigger expires after 3 (docs.slack.dev, views.open)."""
OPENED_TOO_LATE = "Slack didn't open the form in time, and nothing was done. Click or type it again."
_FORMS_NEED = (Capability.GROUPS_WRITE, Capability.SEND)
"""The capabilities that most forms need. If the person can use no form, the chooser explains them."""


def new_external_id() -> str:
    """Return a new external id, by which a modal is found again to be updated."""
    return f"rollcall-{secrets.token_hex(12)}"


async def open_modal(
    client: AsyncWebClient, trigger_id: str, view: View, *, view_id: str = "", waited: float = 0.0
) -> None:
    """Open a modal (views.open), or replace one (views.update); a modal that was closed meanwhile stays closed.

    Args:
        client: calls Slack.
        trigger_id: the trigger of the click or command.
        view: the modal.
        view_id: the modal to replace; empty: none.
        waited: the seconds since the click or command.

    Raises:
        UserError: it was too late for the trigger.
    """
    try:
        async with asyncio.timeout(max(0.0, OPEN_TIMEOUT - waited)):
            if view_id:
                await client.views_update(view_id=view_id, view=view)
            else:
                await client.views_open(trigger_id=trigger_id, view=view)
    except TimeoutError as error:
        raise UserError(OPENED_TOO_LATE) from error
    except SlackApiError as error:
        if view_id and error_code(error) == "not_found":
            return
        if not is_trigger_expired(error):
            raise
        raise UserError(OPENED_TOO_LATE) from error


async def open_form(
    services: Services,
    client: AsyncWebClient,
    verb: str,
    *,
    trigger_id: str,
    channel: str,
    user: str,
    group: str = "",
    numbers: str = "",
    view_id: str = "",
) -> None:
    """Open the form of a verb.

    Args:
        services: what the form needs.
        client: calls Slack.
        verb: add, remove, promote, demote, create, settings, invite, send or sync.
        trigger_id: the trigger, which expires after 3 seconds.
        channel: the channel of the request.
        user: the Slack user id of the person.
        group: the group that is preselected: the value of its option, or a name of it.
        numbers: the people that are filled in.
        view_id: the modal to replace; empty: none.

    Raises:
        UserError: it was too late, or the person may not use the form for any group.
    """
    began = asyncio.get_running_loop().time()
    actor = await services.slack.user_groups.actor(user)
    if denied := services.authorizer.denied_everywhere(actor, verb):
        if denied.code is not DenialCode.PROVIDER_CANNOT:
            await services.stores.audit.record_refusal(actor.user_id, verb, None, denied.code)
        raise UserError(denied.text)
    external_id = new_external_id()
    prefill = Prefill(channel, _group(services, actor, verb, group), numbers)
    try:
        view = _build(services, actor, verb, prefill, external_id)
    except ValueError as error:
        raise UserError(f"{error} Nothing was done.") from error
    waited = asyncio.get_running_loop().time() - began
    await open_modal(client, trigger_id, view, view_id=view_id, waited=waited)
    if verb == "settings" and prefill.group:
        services.delivery.background.spawn(settings.fill(services, client, actor, prefill, external_id=external_id))


async def open_chooser(services: Services, client: AsyncWebClient, trigger_id: str, user_id: str) -> None:
    """Open the list of all forms that a person may use. Raises `UserError`."""
    actor = await services.slack.user_groups.actor(user_id)
    _, refused = services.authorizer.capabilities_of(actor)
    commands = services.authorizer.usable_commands(actor, services.directory.known())
    reasons = [] if commands else [refused[capability].text for capability in _FORMS_NEED if capability in refused]
    view = command_help.chooser(commands, "", reasons)
    await open_modal(client, trigger_id, view)


def _build(services: Services, actor: Actor, verb: str, prefill: Prefill, external_id: str) -> View:
    can_invite = services.authorizer.can_invite()
    match verb:
        case "create":
            return request_forms.create_form(
                prefill, services.authorizer.creatable_connections(actor), can_invite=can_invite
            )
        case "settings":
            return settings_modal.build(prefill, external_id=external_id)
        case "invite":
            return request_forms.invite_form(prefill)
        case "send":
            return request_forms.send_form(prefill)
        case "sync":
            return request_forms.sync_form(prefill)
        case _:
            return request_forms.people_form(verb, prefill, can_invite=can_invite)


def _group(services: Services, actor: Actor, verb: str, named: str) -> KnownGroup | None:
    known = services.directory.known() if named else []
    group = inputs.group_of(named, known)
    if group is None and isinstance(found := resolve(named, known), GroupFound):
        group = found.group
    return group if group and services.authorizer.allows_any(actor, FORM_ACTIONS[verb], group) else None
