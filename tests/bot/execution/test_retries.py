import pytest
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs

from bot.execution.retries import MAX_DELAY, GivenUp, Retries, StuckStep

OUTAGE = OperationalError("SELECT 1", {}, Exception("the server is away"))
OWN = (ValueError("half an emoji"), IntegrityError("INSERT", {}, Exception("twice")), KeyError("ts"))


class Step:
    """A step that fails with these errors, and then returns how often it ran."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.runs = 0
        self.delays: list[float] = []
        self.given_up: list[tuple[str, str, str]] = []
        self.references: list[str] = []
        self.seen: list[StuckStep] = []
        self.retries = Retries(
            lambda error: isinstance(error, ConnectionError),
            lambda *what: self.given_up.append(what),
            sleep=self._sleep,
        )

    async def run(self) -> object:
        return await self.retries.run("finish", "R1", self._function, self._otherwise)

    async def _function(self) -> object:
        self.runs += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.runs

    async def _otherwise(self, reference: str) -> object:
        self.references.append(reference)
        return "given up"

    async def _sleep(self, seconds: float) -> None:
        self.delays.append(seconds)
        self.seen = list(self.retries.stuck())


@pytest.mark.parametrize("error", [ConnectionError("away"), OUTAGE])
async def test_a_transient_error_is_retried_after_at_most_five_minutes(error: Exception) -> None:
    step = Step(*[error] * 40)

    assert await step.run() == 41
    assert step.delays[:4] == [0.5, 1.0, 2.0, 4.0]
    assert max(step.delays) == MAX_DELAY == 300
    assert step.given_up == []


@pytest.mark.parametrize("error", OWN)
async def test_any_other_error_ends_after_three_tries_with_a_reference_in_the_log(error: Exception) -> None:
    step = Step(*[error] * 9)
    with capture_logs() as log:
        assert await step.run() == "given up"

    assert step.runs == 3
    (reference,) = step.references
    assert step.given_up == [("R1", "finish", reference)]
    (entry,) = [e for e in log if e["event"] == "step_given_up"]
    assert (entry["reference"], entry["step"], entry["request"]) == (reference, "finish", "R1")


async def test_an_error_that_passes_between_others_counts_only_the_others() -> None:
    step = Step(ValueError(), ConnectionError(), ConnectionError(), ValueError())

    assert await step.run() == 5


async def test_an_error_caused_by_a_transient_one_is_transient() -> None:
    caused = RuntimeError("not read yet")
    caused.__cause__ = TimeoutError()

    step = Step(*[caused] * 5)
    step.retries = Retries(sleep=step._sleep)
    assert await step.run() == 6


async def test_a_step_is_stuck_after_three_failures_until_it_succeeds() -> None:
    step = Step(*[ConnectionError("Slack is away")] * 4)
    await step.run()

    (stuck,) = step.seen
    assert (stuck.request_id, stuck.name, stuck.tries, stuck.error) == (
        "R1",
        "finish",
        4,
        "ConnectionError: Slack is away",
    )
    assert step.retries.stuck() == []


async def test_a_fallback_that_fails_is_tried_too_and_then_raised() -> None:
    step = Step(*[ValueError()] * 9)
    with pytest.raises(GivenUp):
        await step.retries.run("finish", "R1", step._function, lambda _: step._function())
    assert step.runs == 6
