"""Every documented error of every operation that an adapter uses, with every documented body."""

from dataclasses import dataclass, field

import pytest

from providers.base import (
    Account,
    AccountDisconnected,
    AccountRestricted,
    AccountState,
    ChangeResult,
    CredentialsRejected,
    Evidence,
    GroupNotFound,
    InvalidRequest,
    NotGroupAdmin,
    NotSupported,
    Outcome,
    OutcomeUnknown,
    PeopleResult,
    PermissionMissing,
    ProviderError,
    ProviderFault,
    RateLimited,
    Verdict,
)
from sandbox.providers.server import Fault
from tests.providers.conformance.footprints import Step, footprint
from tests.providers.conformance.kits import Desk, Kit, desk
from tests.providers.conformance.papers import Refusal, code_and_words, paper
from tests.providers.conformance.tasks import CASES, IDS, Task
from tests.providers.conformance.truth import Start

TRANSIENT = (AccountDisconnected, ProviderFault, RateLimited)
MEANINGS: dict[int, tuple[type[ProviderError], ...]] = {
    400: (InvalidRequest,),
    401: (CredentialsRejected,),
    402: (AccountRestricted,),
    403: (PermissionMissing, NotGroupAdmin, CredentialsRejected),
    404: (GroupNotFound, InvalidRequest, AccountDisconnected),
    409: TRANSIENT,
    410: TRANSIENT,
    422: (InvalidRequest,),
    429: (RateLimited,),
    486: TRANSIENT,
    501: (AccountDisconnected, NotSupported),
}
OF_THE_REQUEST = frozenset({400, 422})
"""Statuses that may be read as being about one person: the number is wrong, and the others' are not."""

CODES: dict[str, tuple[type[ProviderError], ...]] = {
    "DEVICE_NOT_READY": (AccountDisconnected,),
    "FEATURE_LIMIT_EXCEEDED": (AccountRestricted,),
    "MESSAGE_SEND_FAILED": (InvalidRequest,),
    "CONTACT_OPTED_OUT": (InvalidRequest, PermissionMissing),
    "WHATSAPP_NOT_CONFIGURED": (AccountDisconnected, AccountRestricted, InvalidRequest),
}


def meanings(refusal: Refusal, step: Step) -> tuple[type[ProviderError], ...]:
    """Give the classes that fit: by the code, where its meaning is documented, else by the status.

    A 403 or 404 in a shape that is not documented may come from whatever stands before the provider.
    """
    if refusal.code in CODES:
        return CODES[refusal.code]
    if refusal.status in MEANINGS:
        strange = (ProviderFault,) if refusal.made_up and refusal.status in {403, 404} else ()
        return MEANINGS[refusal.status] + strange
    return (OutcomeUnknown,) if step.writes else (ProviderFault,)


@dataclass(slots=True)
class Told:
    """What a task said of an error: its errors, wherever they were, its verdicts, and what was not so in its answer.

    `account` is the state of the account, where that was asked for.
    """

    errors: list[ProviderError] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    account: AccountState | None = None

    @property
    def enough(self) -> bool:
        """Whether the answer itself says that it went wrong."""
        return self.account not in {None, AccountState.CONNECTED}


async def told_by(task: Task, at: Desk) -> Told:
    start = Start.of(at.world)
    try:
        answer = await task.do(at)
    except ProviderError as error:
        return Told([error])
    if isinstance(answer, Account):
        return Told(account=answer.state)
    told = Told(untrue=task.untrue(at, start, answer))
    match answer:
        case PeopleResult(verdicts, stopped_by):
            told.errors, told.verdicts = [stopped_by] if stopped_by else [], list(verdicts)
        case ChangeResult(_, failed):
            told.errors = list(failed.values())
    return told


def untold(refusal: Refusal, told: Told) -> list[str]:
    """Give what the provider said of an error, code and words, and the task does not repeat."""
    said = {(error.code, error.provider_text) for error in told.errors}
    said |= {(verdict.provider_code, verdict.provider_message) for verdict in told.verdicts}
    found = [] if any(refusal.code in code for code, _ in said) else [f"codes {said}"]
    return found + ([] if any(refusal.words in words for _, words in said) else [f"words {said}"])


@pytest.mark.parametrize(("kit", "task"), CASES, ids=IDS)
async def test_every_documented_error_is_read_by_its_meaning(kit: Kit, task: Task) -> None:
    wrong = {}
    for step in await footprint(kit, task):
        for refusal in paper(kit.name).refusals(step.operation):
            async with desk(kit, variant=kit.offered_in.get(task.action, ""), checked=False) as at:
                at.server.faults = [Fault(step.line, status=refusal.status, raw=refusal.body, times=-1)]
                told = await told_by(task, at)
                untrue = told.untrue + sorted(at.operations() - set(kit.abilities[task.action].operations))
            fits = meanings(refusal, step)
            fits += (OutcomeUnknown,) if (step.operation, refusal.status) in kit.left_open else ()
            untrue += [repr(error) for error in told.errors if not isinstance(error, fits)]
            main = step.operation == kit.abilities[task.action].operations[0]
            if refusal.status in OF_THE_REQUEST:  # the provider said so, though in truth there is nothing wrong
                untrue = [line for line in untrue if f"is {Outcome.INVALID} ({Evidence.REPORTED})" not in line]
            if main and not told.enough and (told.errors or refusal.status not in OF_THE_REQUEST):
                untrue += untold(refusal, told)
            if untrue:
                wrong[f"{step.operation} {refusal.status} {refusal.label}"] = untrue
    assert wrong == {}


READS = [(kit, task) for kit, task in CASES if task.took_effect is None]


@pytest.mark.parametrize(("kit", "task"), READS, ids=[f"{kit.name}-{task}" for kit, task in READS])
async def test_a_read_that_is_refused_for_too_many_calls_repeats_the_providers_own_words(kit: Kit, task: Task) -> None:
    step = (await footprint(kit, task))[0]
    async with desk(kit, checked=False) as at:
        at.server.faults = [Fault(step.line, status=429, headers={"Retry-After": "7"}, times=-1)]
        told = await told_by(task, at)
        refusal = Refusal(429, "of the simulator", None, True, *code_and_words(at.server.error(429).text or ""))
    assert refusal.words
    assert untold(refusal, told) == []
    assert [error for error in told.errors if not isinstance(error, RateLimited) or "{" in error.provider_text] == []
    assert {error.cooldown for error in told.errors} == {7.0}
