from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.base import GroupNotFound, Person, ProviderError
from providers.http import Reply
from providers.wuts.errors import error_for
from providers.wuts.membership import ADD_OUTCOMES, Addressed, result_of, result_of_failure
from providers.wuts.models import ChangedReply, CreatedReply, GroupReply, PeopleReply

ANA = Person("+14155550101", "+14155550101")
NAMES = ("success", "error", "error_code", "code", "message", "validation", "value", "participants", "group", "jid")
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from((ANA.digits, "429", "9@lid"))
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
MODELS: tuple[type[BaseModel], ...] = (GroupReply, CreatedReply, ChangedReply, PeopleReply)


@given(BODIES, st.sampled_from((200, 201, 204, 400, 401, 403, 404, 409, 429, 500, 503)), st.booleans())
def test_whatever_json_comes_it_is_an_answer_or_an_error_of_the_taxonomy(body: Any, status: int, write: bool) -> None:
    reply, addressed = Reply(status, body, "text"), Addressed({ANA: ANA.digits}, {})
    error = error_for(reply, not_found=GroupNotFound, wrote=write)
    if error is not None:
        with suppress(ProviderError):
            result_of_failure(error, [ANA], addressed)
        return
    assert reply.ok
    for model in MODELS:
        with suppress(ProviderError):
            reply.parse_result(model)
    with suppress(ProviderError):
        people = reply.parse_result(PeopleReply).participants or []
        assert [verdict.key for verdict in result_of(people, [ANA], addressed, ADD_OUTCOMES).verdicts] == [ANA.key]
