"""The calls of a batch to its provider: one call, or as few as the operation needs."""

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
"""The most requests whose invitation is cached. Older ones are read again."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """The result of a batch: the verdicts, and the id of the group that was created, "" if none was."""

    result: PeopleResult
    group_id: str = ""


class ProviderCalls:
    """Calls providers. The invitation of a request is read once for all of its people.

    Args:
        group_of: returns a group with its subject, if that is known.
    """

    def __init__(self, group_of: Callable[[GroupRef], KnownGroup] = KnownGroup.unnamed) -> None:
        self._group_of = group_of
        self._invitations: dict[str, str] = {}

    async def execute(self, provider: Provider, request: Request, people: Sequence[RequestItem]) -> CallResult:
        """Carry out one batch, all of one operation. An error of the provider becomes the verdict on everyone in it."""
        persons = [p.person for p in people]
        try:
            return await self._call(provider, request, people[0].operation, persons)
        except ProviderError as error:
            return CallResult(PeopleResult(verdicts_for_error(error, persons), error))

    async def invite(self, provider: Provider, request: Request, person: Person) -> Verdict:
        """Send the group's link to one person. Raises `ProviderError`."""
        body = await self._invitation(provider, request)
        text = f"{request.options.text}\n{body}" if request.options.text else body
        message_id = await provider.send_to_person(person, text)
        message = "the group link was sent to them"
        return Verdict(person.key, Outcome.INVITED, Evidence.REPORTED, message_id, message)

    async def _call(
        self, provider: Provider, request: Request, operation: Operation, people: list[Person]
    ) -> CallResult:
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
        message = "the old link no longer works"
        return Verdict(person.key, Outcome.CHANGED, Evidence.REPORTED, "", message)

    async def _invitation(self, provider: Provider, request: Request) -> str:
        if request.id not in self._invitations:
            link = await provider.invite_link(request.group_id)
            if len(self._invitations) >= MAX_CACHED_INVITATIONS:
                del self._invitations[next(iter(self._invitations))]
            self._invitations[request.id] = invitation(await self._subject(provider, request), link)
        return self._invitations[request.id]

    async def _subject(self, provider: Provider, request: Request) -> str:
        """Return the group's subject, which people outside know it by, never the alias; "" if it is unknown."""
        subject = request.options.subject or self._group_of(request.group).subject
        if subject:
            return subject
        try:
            return (await provider.group(request.group_id)).subject
        except ProviderError:
            return ""


async def _send(provider: Provider, request: Request, person: Person) -> Verdict:
    if person.is_person:
        message_id = await provider.send_to_person(person, request.options.text)
    else:
        message_id = await provider.send_to_group(request.group_id, request.options.text)
    return Verdict(person.key, Outcome.SENT, Evidence.REPORTED, message_id)


def _change_verdicts(result: ChangeResult) -> PeopleResult:
    done = [Verdict(SETTING_LABELS[action], Outcome.CHANGED, Evidence.REPORTED) for action in result.done]
    failed = [verdicts_for_error(error, [Person(SETTING_LABELS[action])])[0] for action, error in result.failed.items()]
    stop = next((error for error in result.failed.values() if error.stops_sending), None)
    return PeopleResult((*done, *failed), stop)
