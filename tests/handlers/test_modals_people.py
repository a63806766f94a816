from hypothesis import given
from hypothesis import strategies as st

from bot.domain import roster
from handlers.modals.uploads import merged
from handlers.views import inputs

NUMBERS = st.sampled_from(["+14155550100", "+5511987654321", "+551187654321", "7@lid", "8@lid", "bogus"])


@given(st.lists(NUMBERS), st.lists(NUMBERS))
def test_typed_and_uploaded_people_are_merged_without_loss_or_repetition(one: list[str], two: list[str]) -> None:
    first, second = (roster.parse("\n".join(lines)) for lines in (one, two))
    both, whole = merged(first, second), roster.parse("\n".join([*one, *two]))
    assert [p.key for p in both.people] == [p.key for p in whole.people]
    assert len(both.rejected) == len(whole.rejected)
    assert len(both.duplicates) == len(whole.duplicates)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=4000)))
def test_a_long_text_is_spread_over_fields_completely(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        blocks = inputs.numbers_inputs(text)
    except ValueError:
        assert len(text) > inputs.MAX_CHARACTERS
        return
    held = [block.to_dict()["element"].get("initial_value", "") for block in blocks]
    assert all(len(part) <= inputs.MAX_CHARACTERS for part in held)
    assert "".join(held).replace("\n", "") == "".join(lines)
