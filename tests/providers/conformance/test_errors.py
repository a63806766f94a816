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
from sandbox.providers.server import InjectedFault
from tests.contracts import DocumentedError, code_and_text, contract_document
from tests.providers.conformance.action_cases import PROVIDER_ACTION_IDS, PROVIDER_ACTIONS, ActionCase
from tests.providers.conformance.call_steps import CallStep, call_steps
from tests.providers.conformance.world_state import WorldSnapshot
from tests.providers.harness import Harness, ProviderCase, open_with_people

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


def meanings(documented: DocumentedError, step: CallStep) -> tuple[type[ProviderError], ...]:
    """Return the error classes that are correct: by the code, where its meaning is documented, else by the status.

    A 403 or 404 in a shape that is not documented may come from whatever stands before the provider.
    """
    if documented.code in CODES:
        return CODES[documented.code]
    if documented.status in MEANINGS:
        strange = (ProviderFault,) if documented.made_up and documented.status in {403, 404} else ()
        return MEANINGS[documented.status] + strange
    return (OutcomeUnknown,) if step.writes else (ProviderFault,)


@dataclass(slots=True)
class Reported:
    """What a task said of an error: its errors, wherever they were, its verdicts, and what was not so in its answer.

    `account` is the state of the account, where that was asked for.
    """

    errors: list[ProviderError] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    account: AccountState | None = None

    @property
    def says_so(self) -> bool:
        """Whether the answer itself says that it went wrong."""
        return self.account not in {None, AccountState.CONNECTED}


async def report_of(case: ActionCase, harness: Harness) -> Reported:
    start = WorldSnapshot.of(harness.world)
    try:
        answer = await case.do(harness)
    except ProviderError as error:
        return Reported([error])
    if isinstance(answer, Account):
        return Reported(account=answer.state)
    report = Reported(mistakes=case.mistakes_in(harness, start, answer))
    match answer:
        case PeopleResult(verdicts, stopped_by):
            report.errors, report.verdicts = [stopped_by] if stopped_by else [], list(verdicts)
        case ChangeResult(_, failed):
            report.errors = list(failed.values())
    return report


def missing_text(documented: DocumentedError, report: Reported) -> list[str]:
    """Return the code and message of the provider that the error of the task omits."""
    said = {(error.code, error.provider_text) for error in report.errors}
    said |= {(verdict.provider_code, verdict.provider_message) for verdict in report.verdicts}
    found = [] if any(documented.code in code for code, _ in said) else [f"codes {said}"]
    return found + ([] if any(documented.text in text for _, text in said) else [f"words {said}"])


@pytest.mark.parametrize(("provider", "case"), PROVIDER_ACTIONS, ids=PROVIDER_ACTION_IDS)
async def test_every_documented_error_is_read_by_its_meaning(provider: ProviderCase, case: ActionCase) -> None:
    wrong = {}
    for step in await call_steps(provider, case):
        for documented in contract_document(provider.name).errors_of(step.operation):
            async with open_with_people(
                provider, variant=provider.needs_variant.get(case.action, ""), checked=False
            ) as harness:
                harness.server.faults = [
                    InjectedFault(step.line, status=documented.status, raw=documented.body, times=-1)
                ]
                report = await report_of(case, harness)
                mistakes = report.mistakes + sorted(
                    harness.operations() - set(provider.abilities[case.action].operations)
                )
            allowed = meanings(documented, step)
            allowed += (OutcomeUnknown,) if (step.operation, documented.status) in provider.open_outcomes else ()
            mistakes += [repr(error) for error in report.errors if not isinstance(error, allowed)]
            main = step.operation == provider.abilities[case.action].operations[0]
            if documented.status in OF_THE_REQUEST:  # the provider said so, though in truth there is nothing wrong
                mistakes = [line for line in mistakes if f"is {Outcome.INVALID} ({Evidence.REPORTED})" not in line]
            if main and not report.says_so and (report.errors or documented.status not in OF_THE_REQUEST):
                mistakes += missing_text(documented, report)
            if mistakes:
                wrong[f"{step.operation} {documented.status} {documented.label}"] = mistakes
    assert wrong == {}


READS = [(provider, case) for provider, case in PROVIDER_ACTIONS if case.took_effect is None]


@pytest.mark.parametrize(("provider", "case"), READS, ids=[f"{provider.name}-{case}" for provider, case in READS])
async def test_a_read_that_is_refused_for_too_many_calls_repeats_the_providers_own_words(
    provider: ProviderCase, case: ActionCase
) -> None:
    step = (await call_steps(provider, case))[0]
    async with open_with_people(provider, checked=False) as harness:
        harness.server.faults = [InjectedFault(step.line, status=429, headers={"Retry-After": "7"}, times=-1)]
        report = await report_of(case, harness)
        documented = DocumentedError(
            429, "of the simulator", None, True, *code_and_text(harness.server.error(429).text or "")
        )
    assert documented.text
    assert missing_text(documented, report) == []
    assert [error for error in report.errors if not isinstance(error, RateLimited) or "{" in error.provider_text] == []
    assert {error.cooldown for error in report.errors} == {7.0}
