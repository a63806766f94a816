"""Opens a form before Slack's patience ends."""

import asyncio

from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor, Denied
from bot.domain.groups import GroupFound, KnownGroup, resolve
from handlers.actions import opening
from handlers.modals import settings, verbs
from handlers.modals.ids import new_external_id
from handlers.services import Services
from handlers.verbs import ACTIONS, can_do_any, creatable_connections
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
) -> str:
    """Open the form of a verb.

    Args:
        services: what it works with.
        client: asks Slack.
        verb: add, remove, promote, demote, create, settings, invite, send or sync.
        trigger_id: lives for 3 seconds.
        channel: where the answer will go.
        user: the Slack user id of who will fill it in.
        group: the group that is chosen already: its option's value, or a name of it.
        numbers: the people that are typed already.
        view_id: the modal in whose place it is opened; empty: in none.

    Returns:
        What the person is told where it came too late or they may not do this anywhere, else nothing.
    """
    began = asyncio.get_running_loop().time()
    actor = await services.usergroups.actor(user)
    if refused := verbs.unusable_reason(services, actor, verb):
        if not isinstance(refused, Denied):
            return refused
        await services.audit.record_refusal(actor.user_id, verb, None, refused.code)
        return refused.reason
    external_id = new_external_id()
    prefill = Prefill(channel, _group(services, actor, verb, group), numbers)
    try:
        view = _build(services, actor, verb, prefill, external_id)
    except ValueError as error:
        return f"{error} Nothing was done."
    waited = asyncio.get_running_loop().time() - began
    problem = await opening.open_modal(client, trigger_id, view, view_id=view_id, waited=waited)
    if not problem and verb == "settings" and prefill.group:
        services.background.spawn(settings.fill(services, client, actor, prefill, external_id=external_id))
    return problem


def _build(services: Services, actor: Actor, verb: str, prefill: Prefill, external_id: str) -> View:
    can_invite = verbs.can_invite(services)
    match verb:
        case "create":
            return request_forms.create_form(prefill, creatable_connections(services, actor), can_invite=can_invite)
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
    return group if group and can_do_any(services, actor, group, *ACTIONS[verb]) else None
