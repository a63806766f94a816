"""Opening a form within the lifetime of its trigger."""

import asyncio

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, DenialCode
from bot.domain.groups import GroupFound, KnownGroup, resolve
from bot.services.authorization import FORM_ACTIONS
from handlers.delivery import modals
from handlers.delivery.modals import new_external_id
from handlers.errors import UserError
from handlers.modals import settings
from handlers.services import Services
from handlers.views import inputs, request_forms, settings_modal
from handlers.views.inputs import Prefill


async def open_modal(
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
        raise UserError(denied.reason)
    external_id = new_external_id()
    prefill = Prefill(channel, _group(services, actor, verb, group), numbers)
    try:
        view = _build(services, actor, verb, prefill, external_id)
    except ValueError as error:
        raise UserError(f"{error} Nothing was done.") from error
    waited = asyncio.get_running_loop().time() - began
    await modals.open_modal(client, trigger_id, view, view_id=view_id, waited=waited)
    if verb == "settings" and prefill.group:
        services.delivery.background.spawn(settings.fill(services, client, actor, prefill, external_id=external_id))


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
