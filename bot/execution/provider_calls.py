"""What one chunk of a request does at its provider: one call, or as few as the operation takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain.groups import GroupRef, KnownGroup
from bot.domain.operations import SETTING_LABELS, invitation
from bot.domain.requests import Request, RequestItem
from providers.base import (
    ChangeResult,
    Evidence,
    Operation,
    Outcome,
    PeopleResult,
    Person,
    Provider,
    ProviderError,
    Verdict,
    verdicts_for_error,
)

MAX_CACHED_INVITATIONS = 100
"""Requests whose invitation is remembered; those of older ones are read once more."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What one chunk did: the verdicts, and the id of the group that was made, empty where none was."""

    result: PeopleResult
    group_id: str = ""


class ProviderCalls:
    """Carries out chunks. The invitation of a request is read once, for all of its people.

    Args:
        known: returns a group with its subject, if that is known.
    """

    def __init__(self, known: Callable[[GroupRef], KnownGroup] = KnownGroup.unnamed) -> None:
        self._known = known
        self._invitations: dict[str, str] = {}

    async def execute(self, provider: Provider, request: Request, people: Sequence[RequestItem]) -> CallResult:
        """Carry out one chunk, all of one operation. An error of the provider becomes everybody's verdict."""
        persons = [p.person for p in people]
        try:
            return await self._do(provider, request, people[0].operation, persons)
        except ProviderError as error:
            return CallResult(PeopleResult(verdicts_for_error(error, persons), error))

    async def invite(self, provider: Provider, request: Request, person: Person) -> Verdict:
        """Send the group's link to one person. Raises `ProviderError`."""
        said = await self._invitation(provider, request)
        text = f"{request.options.text}\n{said}" if request.options.text else said
        sent = await provider.send_to_person(person, text)
        return Verdict(person.key, Outcome.INVITED, Evidence.REPORTED, sent, "the invite link was sent as a message")

    async def _do(self, provider: Provider, request: Request, operation: Operation, people: list[Person]) -> CallResult:
        group = request.group_id
        match operation:
            case Operation.CREATE if group:
                return CallResult(await provider.add(group, people))
            case Operation.CREATE:
                created = await provider.create(request.options.subject, people)
                return CallResult(PeopleResult(created.verdicts), created.group.id if created.group else "")
            case Operation.REMOVE:
                return CallResult(await provider.remove(group, people))
            case Operation.PROMOTE:
                return CallResult(await provider.promote(group, people))
            case Operation.DEMOTE:
                return CallResult(await provider.demote(group, people))
            case Operation.SETTINGS if request.options.change is not None:
                return CallResult(_change_verdicts(await provider.change(group, request.options.change)))
            case Operation.SEND:
                return CallResult(PeopleResult(tuple([await _send(provider, request, person) for person in people])))
            case Operation.INVITE:
                return CallResult(
                    PeopleResult(tuple([await self._invite(provider, request, person) for person in people]))
                )
            case _:
                return CallResult(await provider.add(group, people))

    async def _invite(self, provider: Provider, request: Request, person: Person) -> Verdict:
        if person.is_person:
            return await self.invite(provider, request, person)
        self._invitations.clear()  # other requests may have read this link
        await provider.reset_invite_link(request.group_id)
        words = "the link from before leads nowhere any more"
        return Verdict(person.key, Outcome.CHANGED, Evidence.REPORTED, "", words)

    async def _invitation(self, provider: Provider, request: Request) -> str:
        if request.id not in self._invitations:
            link = await provider.invite_link(request.group_id)
            if len(self._invitations) >= MAX_CACHED_INVITATIONS:
                del self._invitations[next(iter(self._invitations))]
            self._invitations[request.id] = invitation(await self._subject(provider, request), link)
        return self._invitations[request.id]

    async def _subject(self, provider: Provider, request: Request) -> str:
        """Give what people outside know the group by, never the alias; empty where nobody tells."""
        told = request.options.subject or self._known(request.group).subject
        if told:
            return told
        try:
            return (await provider.group(request.group_id)).subject
        except ProviderError:
            return ""


async def _send(provider: Provider, request: Request, person: Person) -> Verdict:
    if person.is_person:
        sent = await provider.send_to_person(person, request.options.text)
    else:
        sent = await provider.send_to_group(request.group_id, request.options.text)
    return Verdict(person.key, Outcome.SENT, Evidence.REPORTED, sent)


def _change_verdicts(result: ChangeResult) -> PeopleResult:
    done = [Verdict(SETTING_LABELS[action], Outcome.CHANGED, Evidence.REPORTED) for action in result.done]
    failed = [verdicts_for_error(error, [Person(SETTING_LABELS[action])])[0] for action, error in result.failed.items()]
    stop = next((error for error in result.failed.values() if error.stops_sending), None)
    return PeopleResult((*done, *failed), stop)
