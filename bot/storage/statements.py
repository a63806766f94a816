"""Statements that every request needs, built once: building a statement costs as much as running it."""

from sqlalchemy import bindparam, func, select, update

from bot.domain.requests import ENDED, TRANSITIONS, RequestState
from bot.storage.request_queries import IS_NOT_A_PERSON
from bot.storage.tables import participants, requests

GET = select(requests).where(requests.c.id == bindparam("request"))
LOCK = GET.with_for_update()
TRANSITION = {
    state: update(requests)
    .where(
        requests.c.id == bindparam("request"),
        requests.c.state.in_([before for before, after in TRANSITIONS.items() if state in after]),
    )
    .values(state=state)
    for state in RequestState
}
ITEMS = select(participants).where(participants.c.request_id == bindparam("request")).order_by(participants.c.position)
PAGE = ITEMS.where(participants.c.position >= bindparam("start"), participants.c.position < bindparam("end"))
UNANSWERED = ITEMS.where(participants.c.outcome.is_(None))
BATCH = UNANSWERED.where(participants.c.chunk == bindparam("batch"))
WITH_OUTCOME = ITEMS.where(participants.c.outcome == bindparam("outcome"))
SUBMITTED = (
    update(participants)
    .where(
        participants.c.request_id == bindparam("request"),
        participants.c.position.in_(bindparam("positions", expanding=True)),
    )
    .values(submissions=participants.c.submissions + 1)
)
TALLY = (
    select(participants.c.outcome, func.count(), func.count().filter(IS_NOT_A_PERSON))
    .where(participants.c.request_id == bindparam("request"))
    .group_by(participants.c.outcome)
)
NUMBER_OPEN = select(func.count()).where(
    requests.c.requester == bindparam("requester"),
    requests.c.state.not_in(ENDED),
)
