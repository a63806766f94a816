"""The number checks of a session at the WhatsApp Gateway (`checkContact`), and the JIDs of people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from providers.base import (
    InvalidRequest,
    NotOnWhatsApp,
    NumberCheck,
    Outcome,
    Person,
    ProviderError,
    ProviderFault,
    Verdict,
    verdicts_for_error,
)
from providers.cache import DAY_SECONDS, TTLCache
from providers.identity import lid_of, phone_digits, same_person_keys
from providers.wagateway.api import Api, call_for_each
from providers.wagateway.contacts import ContactDirectory
from providers.wagateway.models import CheckReply


class PhoneNotKnown(InvalidRequest):
    """The person's phone isn't known, so nothing was sent for them."""

    outcome = Outcome.INVALID


@dataclass(frozen=True, slots=True)
class JidLookup:
    """The JIDs of people.

    Attributes:
        jids: by `Person.key`.
        verdicts: the verdicts of people who have no JID.
        error: the error that stopped the look-up of the others, if any.
    """

    jids: Mapping[str, str]
    verdicts: tuple[Verdict, ...]
    error: ProviderError | None


class NumberChecker:
    """The number checks of one session.

    A check takes one number, so several run at a time and answers are cached for a day. That a number has no account
    is cached for `check` only; a verdict never rests on it.

    Args:
        api: the API of the session.
        contacts: the contacts of the session.
        clock: returns the time in seconds, from any start.
    """

    def __init__(self, api: Api, contacts: ContactDirectory, clock: Callable[[], float]) -> None:
        self._api = api
        self._contacts = contacts
        self._without_account: TTLCache[bool] = TTLCache(DAY_SECONDS, clock)

    async def jid_of(self, person: Person) -> str:
        """Return the JID of a person's account, by the number check.

        Raises:
            InvalidRequest: the phone isn't known (`PhoneNotKnown`), no variant of the number has an account
                (`NotOnWhatsApp`), or the gateway rejects the number as malformed.
            ProviderError: the check failed.
        """
        digits = await self._digits(person)
        account = await self._account(digits)
        if account == "":
            raise NotOnWhatsApp("The number isn't on WhatsApp.", code="isOnWhatsApp: false")
        return _jid(account or digits)

    async def jids_of(self, people: Sequence[Person]) -> JidLookup:
        """Return the JIDs of people, by the number check."""

        async def look_up(person: Person) -> str | Verdict:
            try:
                return await self.jid_of(person)
            except InvalidRequest as error:
                return verdicts_for_error(error, [person])[0]

        found = dict(zip([person.key for person in people], await call_for_each(people, look_up), strict=True))
        return JidLookup(
            {key: jid for key, jid in found.items() if isinstance(jid, str)},
            tuple(verdict for verdict in found.values() if isinstance(verdict, Verdict)),
            next((error for error in found.values() if isinstance(error, ProviderError)), None),
        )

    async def member_jid(self, person: Person) -> str:
        """Return the JID of a person who may be in a group. Only a number with several variants is checked.

        Under the wrong variant the gateway would find no member, which is a success for it. So a check that doesn't
        give the variant is a `ProviderFault`. Raises as `jid_of`.
        """
        digits = await self._digits(person)
        known = self._contacts.canonical(digits) or self._contacts.listed(digits)
        if not known and len(same_person_keys(digits)) > 1:
            jid = await self.jid_of(person)
            if not self._contacts.canonical(digits):
                raise ProviderFault("The gateway doesn't say under which variant of the number it lists this person.")
            return jid
        return _jid(known or digits)

    async def check(self, people: Sequence[Person]) -> Mapping[str, NumberCheck]:
        """Check each number, several at a time. Answers before an error are cached.

        A number that the gateway rejects as malformed is unknown. If all are, the error is raised.
        """
        malformed: list[InvalidRequest] = []

        async def check(person: Person) -> NumberCheck:
            try:
                return await self._check(person)
            except InvalidRequest as error:
                malformed.append(error)
                return NumberCheck(None, lid=person.lid)

        checks: dict[str, NumberCheck] = {}
        for person, answer in zip(people, await call_for_each(people, check), strict=True):
            if isinstance(answer, ProviderError):
                raise answer
            checks[person.key] = answer
        if malformed and len(malformed) == len(people):
            raise malformed[0]
        return checks

    async def _check(self, person: Person) -> NumberCheck:
        try:
            digits = await self._digits(person)
            account = await self._account(digits, use_cached_absence=True)
        except PhoneNotKnown:
            return NumberCheck(None, lid=person.lid)
        if not account:
            return NumberCheck(None if account is None else False, lid=person.lid)
        return NumberCheck(True, f"+{account}", person.lid or self._contacts.key_of("", account).lid)

    async def _digits(self, person: Person) -> str:
        if person.digits:
            return person.digits
        if not person.lid:
            raise PhoneNotKnown("This entry isn't a person.")
        digits = await self._contacts.phone_of(person.lid)
        if not digits:
            await self._api.check_session()  # an unknown contact looks like an unknown session
            raise PhoneNotKnown("The gateway doesn't know the phone number of this LID.")
        return digits

    async def _account(self, digits: str, *, use_cached_absence: bool = False) -> str | None:
        """Check a number, then its other variants.

        Return the digits of the account's JID, empty if there is no account, None if the check doesn't say.
        """
        if canonical := self._contacts.canonical(digits):
            return canonical
        if use_cached_absence and self._without_account.get(digits):
            return ""
        for variant in sorted(same_person_keys(digits), key=lambda variant: variant != digits):
            answer = (await self._api.read("/contacts/check", params={"phone": variant})).parse(CheckReply)
            if answer.is_on_whatsapp is None:
                return None
            if answer.is_on_whatsapp:
                canonical = phone_digits(answer.jid or "") or variant
                self._contacts.set_canonical(digits, canonical, lid_of(answer.jid or ""))
                return canonical
        self._without_account.set(digits, value=True)
        return ""


def _jid(digits: str) -> str:
    return f"{digits}@s.whatsapp.net"
