"""What one chunk of a request does at its provider: one call, or as few as the operation takes."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.requests import Participant, Request
from providers.base import (
    Action,
    ChangeResult,
    Evidence,
    Operation,
    Outcome,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    Verdict,
    judge,
)

INVITATION = "You are invited to the WhatsApp group “{group}”: {link}"
"""The text of an invite; a text of the request goes before it."""

LABELS = {
    Action.RENAME: "name",
    Action.DESCRIBE: "description",
    Action.PICTURE: "picture",
    Action.ANNOUNCE_ONLY: "only admins may write",
    Action.LOCK: "only admins may edit the group's info",
    Action.EPHEMERAL: "disappearing messages",
}
"""How each change of a group is called in its line of the results, and in its row of the journal."""
GROUP_LABEL = "the group"
LINK_LABEL = "the invite link"


@dataclass(frozen=True, slots=True)
class Deed:
    """What one chunk did: the verdicts, and the id of the group that was made, empty where none was."""

    result: PeopleResult
    group_id: str = ""


async def do(provider: Provider, request: Request, people: Sequence[Participant]) -> Deed:
    """Carry out one chunk, all of one operation. An error of the provider becomes everybody's verdict."""
    persons = [p.person for p in people]
    try:
        return await _do(provider, request, people[0].operation, persons)
    except ProviderError as error:
        return Deed(PeopleResult(judge(error, persons), error))


async def invite(provider: Provider, request: Request, person: Person) -> Verdict:
    """Send the group's link to one person. Raises `ProviderError`."""
    link = await provider.invite_link(request.group_id)
    said = INVITATION.format(group=request.group_name, link=link)
    text = f"{request.details.text}\n{said}" if request.details.text else said
    sent = await provider.send_to_person(person, text)
    return Verdict(person.key, Outcome.INVITED, Evidence.REPORTED, sent, "the invite link was sent as a message")


async def _do(provider: Provider, request: Request, operation: Operation, people: list[Person]) -> Deed:
    group = request.group_id
    match operation:
        case Operation.CREATE if group:
            return Deed(await provider.add(group, people))
        case Operation.CREATE:
            created = await provider.create(request.details.subject, people)
            return Deed(PeopleResult(created.verdicts), created.group.id if created.group else "")
        case Operation.REMOVE:
            return Deed(await provider.remove(group, people))
        case Operation.PROMOTE:
            return Deed(await provider.promote(group, people))
        case Operation.DEMOTE:
            return Deed(await provider.demote(group, people))
        case Operation.SETTINGS if request.details.change is not None:
            return Deed(_changed(await provider.change(group, request.details.change)))
        case Operation.SEND:
            return Deed(PeopleResult(tuple([await _send(provider, request, person) for person in people])))
        case Operation.INVITE:
            return Deed(PeopleResult(tuple([await _invite(provider, request, person) for person in people])))
        case _:
            return Deed(await provider.add(group, people))


async def _send(provider: Provider, request: Request, person: Person) -> Verdict:
    if person.is_somebody:
        sent = await provider.send_to_person(person, request.details.text)
    else:
        sent = await provider.send_to_group(request.group_id, request.details.text)
    return Verdict(person.key, Outcome.SENT, Evidence.REPORTED, sent)


async def _invite(provider: Provider, request: Request, person: Person) -> Verdict:
    if person.is_somebody:
        return await invite(provider, request, person)
    await provider.reset_invite_link(request.group_id)
    return Verdict(person.key, Outcome.CHANGED, Evidence.REPORTED, "", "the link from before leads nowhere any more")


def _changed(result: ChangeResult) -> PeopleResult:
    done = [Verdict(LABELS[action], Outcome.CHANGED, Evidence.REPORTED) for action in result.done]
    failed = [judge(error, [Person(LABELS[action])])[0] for action, error in result.failed.items()]
    stop = next((error for error in result.failed.values() if error.stops_sender), None)
    return PeopleResult((*done, *failed), stop)
