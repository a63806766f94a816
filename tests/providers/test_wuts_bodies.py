from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from providers.base import GroupNotFound, Person, ProviderError
from providers.http import Reply
from providers.wuts.api import parsed
from providers.wuts.errors import read_error
from providers.wuts.membership import Addressed
from providers.wuts.models import ChangedAnswer, CreatedAnswer, GroupAnswer, PeopleAnswer
from providers.wuts.verdicts import AFTER_ADD, failed, judged

ANA = Person("+14155550101", "+14155550101")
NAMES = ("success", "error", "error_code", "code", "message", "validation", "value", "participants", "group", "jid")
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from((ANA.digits, "429", "9@lid"))
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
MODELS: tuple[type[BaseModel], ...] = (GroupAnswer, CreatedAnswer, ChangedAnswer, PeopleAnswer)


@given(BODIES, st.sampled_from((200, 201, 204, 400, 401, 403, 404, 409, 429, 500, 503)), st.booleans())
def test_whatever_json_comes_it_is_an_answer_or_an_error_of_the_taxonomy(body: Any, status: int, write: bool) -> None:
    reply, addressed = Reply(status, body, "text"), Addressed({ANA: ANA.digits}, {})
    error = read_error(reply, missing=GroupNotFound, write=write)
    if error is not None:
        with suppress(ProviderError):
            failed(error, [ANA], addressed)
        return
    assert reply.ok
    for model in MODELS:
        with suppress(ProviderError):
            parsed(reply, model)
    with suppress(ProviderError):
        people = parsed(reply, PeopleAnswer).participants or []
        assert [verdict.key for verdict in judged(people, [ANA], addressed, AFTER_ADD).verdicts] == [ANA.key]
