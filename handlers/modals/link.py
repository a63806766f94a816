"""Shows the invite link to who asked for it, and to nobody else."""

from slack_bolt.async_app import AsyncAck

from bot.domain.access import Allowed
from handlers.modals.errors import FormError
from handlers.modals.parse import Submission, chosen_group
from handlers.services import Services
from handlers.views import answers, request_forms
from handlers.views.text import without_markup
from providers.base import Action, ProviderError


async def show_link(services: Services, submission: Submission, ack: AsyncAck) -> tuple[str, str]:
    """Acknowledge the form, and give the link as what the person is told, and in which channel; nothing for an error.

    Nothing is changed by it, so the provider is asked behind the acknowledgement.
    """
    form = request_forms.parse_invite(submission.view)
    try:
        group = await chosen_group(services, form.common.group)
    except FormError as mistake:
        await ack(response_action="errors", errors={mistake.block: mistake.words})
        return "", ""
    decision = services.authorizer.check(submission.actor, Action.READ_INVITE, group)
    if not isinstance(decision, Allowed):
        await ack(response_action="errors", errors={request_forms.INVITE_ACTION_BLOCK: without_markup(decision.reason)})
        return "", ""
    await ack(response_action="clear")
    try:
        link = await services.connections[group.connection].provider.invite_link(group.id)
    except ProviderError as error:
        return answers.not_read("the invite link", error), form.common.channel
    await services.record_disclosure(submission.actor.user_id, "the invite link", group.connection, group.id)
    return answers.link(group, link), form.common.channel
