"""Everything that people read is in plain English: docs, docstrings, comments, and all that Rollcall says in Slack.

The rules are in CONTRIBUTING.md. A failure names the file, the line and the phrase.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from slack_sdk.models.views import View

from bot.domain.access import Actor
from bot.domain.approvals import Choice, Vote
from bot.domain.groups import KnownGroup
from bot.domain.requests import ENDED, Request, RequestDraft, RequestOptions, RequestState
from bot.domain.sync import Drift, SyncMode
from handlers.views import (
    answers,
    approval_card,
    audit_list,
    details,
    home_view,
    interim_modals,
    preview,
    reason_modal,
    request_message,
    results,
)
from handlers.views.answers import Unread
from handlers.views.approval_card import MissingVotes
from handlers.views.blocks import Message
from handlers.views.headlines import headline, tally_of
from handlers.views.inputs import Prefill
from handlers.views.preview import PreviewData, SyncTerms
from providers.base import GroupChange, GroupNotFound, Operation, Outcome, Picture
from tests.handlers.samples import AT, RULE, changed, mix
from tests.handlers.views import test_form_modals, test_home_view, test_lists, test_messages

ROOT = Path(__file__).parent.parent
PACKAGES = ("bot", "handlers", "providers", "sandbox")
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs")

BANNED = (
    r"stands?",
    r"stood",
    r"tells?",
    r"told",
    r"comes? of",
    r"became of",
    r"by now",
    r"any ?more",
    r"at once",
    r"makes? anew",
    r"so it is",
    r"is about nobody",
    r"holds? (?:a |the )?rules?",
    r"lines? of work",
    r"papers?",
    r"rounds?",
    r"who asked",
    r"whoever",
    r"nobody",
    r"somebody",
    r"of whom",
    r"those who decide",
)
"""Phrases without a place in plain English. Each matches whole words, in any case."""
_PHRASE = re.compile(rf"\b(?:{'|'.join(BANNED)})\b|\blet\w*\b[^.;:]{{1,40}}\bgo on\b", re.IGNORECASE)
_BAD_VERB = re.compile(r"(?:Gives?|Tells?|Says?|Hangs?|Keep that|Told)\b")
"""How no docstring begins: Return, Check, Register and Build say more."""
_CODE = re.compile(r"```.*?```|`[^`\n]*`|https?://\S+|“[^”]*”", re.DOTALL)


class Text(NamedTuple):
    """A text, and where it is."""

    path: str
    line: int
    text: str
    is_docstring: bool = False


def findings(texts: Iterator[Text]) -> list[str]:
    """Return `file:line: phrase` for each phrase that isn't allowed. Code, addresses and quotations don't count."""
    found = []
    for text in texts:
        prose = _CODE.sub(lambda match: re.sub(r"\S", " ", match[0]), text.text)
        found += [
            f"{text.path}:{text.line + prose.count(chr(10), 0, phrase.start())}: {phrase[0]!r}"
            for phrase in _PHRASE.finditer(prose)
        ]
        if text.is_docstring and (verb := _BAD_VERB.match(text.text)):
            found.append(f"{text.path}:{text.line}: begins with {verb[0]!r}")
    return found


def documents() -> Iterator[Text]:
    for name in DOCUMENTS:
        path = ROOT / name
        for file in sorted(path.rglob("*.md")) if path.is_dir() else [path]:
            yield Text(str(file.relative_to(ROOT)), 1, file.read_text())


def docstrings_and_comments() -> Iterator[Text]:
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            path, source = str(file.relative_to(ROOT)), file.read_text()
            for node in ast.walk(ast.parse(source)):
                match node:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        yield Text(path, node.lineno, text, is_docstring=True)
            for token in tokenize.generate_tokens(io.StringIO(source).readline):
                if token.type == tokenize.COMMENT:
                    yield Text(path, token.start[0], token.string.lstrip("# "))


def strings() -> Iterator[Text]:
    """Yield every string with several words in the source, which includes the texts that no sample reaches."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            tree = ast.parse(file.read_text())
            docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                match node:
                    case ast.Constant(value=str(text)) if id(node) not in docstrings and " " in text.strip():
                        yield Text(str(file.relative_to(ROOT)), node.lineno, text)


def shown(rendered: object) -> Iterator[str]:
    """Yield every text in a view, a message or an answer."""
    match rendered:
        case str():
            yield rendered
        case View():
            yield from shown(rendered.to_dict())
        case Message():
            yield from shown([rendered.text, rendered.blocks])
        case dict():
            for value in rendered.values():
                yield from shown(value)
        case list():
            for value in rendered:
                yield from shown(value)


def requests() -> Iterator[Request]:
    """Yield a request of each operation in each state, and the special ones."""
    change = GroupChange("Spring", "Fair", Picture(url="https://x.example/a.jpg"), True, False, 86_400)
    for operation in Operation:
        options = RequestOptions(text="Doors open", subject="Fair", change=change, note="Adds 2 and removes 1.")
        for state in RequestState if operation is Operation.ADD else (RequestState.WAITING, RequestState.DONE):
            yield changed(operation=operation, state=state, options=options, rule=RULE, duplicates=2, reason="because")
    for follow in ("retry", "invite", "verify", "resume", "undo", "again"):
        yield changed(state=RequestState.DONE, options=RequestOptions(parent="R1", follow=follow, invite_refused=True))
    reports = RequestOptions(look_only=True)
    yield changed(state=RequestState.DONE, operation=Operation.SYNC, options=reports, stopped_by="U02BOB")
    yield changed(state=RequestState.APPROVED, options=RequestOptions(run_at=AT), rule=RULE)


def messages_and_modals(request: Request, size: int) -> Iterator[View | Message | str]:
    """Yield everything that is shown of a request of this size."""
    people = mix(size, operation=request.operation)
    tally, votes = tally_of(people), [Vote("U02BOB", choice, AT, "because") for choice in Choice]
    yield request_message.build(request, tally, result=headline(request, people, "Wasend"))
    for outcome in Outcome:
        yield results.reply(
            request,
            mix(size, [outcome], operation=request.operation),
            test_messages.AUDIENCE,
            test_messages.FOLLOWED,
        )
    yield details.build(test_messages.facts(request, people, size, votes=votes, warning="careful"))
    yield answers.submitted(request, test_form_modals.roster(size, rejected=size), again=False, warning="careful")
    yield answers.submitted(request, test_form_modals.roster(size), again=True)
    for choice in (Choice.DENY, Choice.OVERRIDE):
        yield reason_modal.build(choice, request, tally)
    if request.state in ENDED - {RequestState.DONE}:
        yield approval_card.ending(request, votes)
    if request.rule and request.state is not RequestState.RECEIVED:
        yield approval_card.build(request, tally, votes, warning="careful", undecided=MissingVotes(["U02BOB"], 1))
        yield approval_card.build(request, tally, [], alone=True)
        yield approval_card.reminder(request, MissingVotes([], 2), 1)
        yield approval_card.overridden(request, votes[0], ["S0LEADS"])
    draft = RequestDraft(
        "R1",
        request.operation,
        KnownGroup("support", "1@g.us", "launch-team"),
        test_form_modals.roster(size, rejected=size),
        "because",
        Actor("U01ALICE"),
        "C0LAUNCH",
        request.options,
    )
    planned = test_form_modals.told(draft.roster)
    for data in (
        PreviewData("k", draft, planned, without=[3]),
        PreviewData("k", draft, test_form_modals.told(draft.roster, rule=RULE), reading=True),
        PreviewData("k", draft, replace(planned, absent=planned.to_change, to_change=())),
    ):
        yield preview.build(data, "x")
        yield preview.question(replace(data, warning="careful"))


def every_view() -> Iterator[View | Message | str]:
    """Yield every view and message, from the samples of the views' own tests."""
    for request in requests():
        for size in (0, 1, 21):
            yield from messages_and_modals(request, size)
    yield from test_form_modals.forms(Prefill("C0LAUNCH"))
    yield from (build("launch-team") for build in (test_lists.groups_page, test_lists.card, test_lists.requests_page))
    yield from (build("launch-team") for build in (test_lists.audit_page, test_lists.unread_card))
    yield audit_list.nothing(audit_list.AuditCursor(person="U01ALICE", since=AT), lambda _: "launch-team")
    yield from (home_view.build(page) for page in (test_home_view.longest("launch-team"), test_home_view.facts()))
    yield interim_modals.reading_preview("x")
    yield interim_modals.reading_message(2, "x")
    yield interim_modals.no_numbers(["problem"])
    yield from (interim_modals.no_preview(["problem"]), interim_modals.too_many_numbers("problem"))
    draft = test_form_modals.draft(Operation.SYNC, test_form_modals.roster(2), RequestOptions())
    for mode in SyncMode:
        for drift in (Drift((), (), (), 2), Unread("words"), None):
            terms = SyncTerms(mode=mode, every=3600.0)
            yield preview.build(PreviewData("k", draft, None, reading=not drift, sync=terms, drift=drift), "x")
    yield from (answers.no_requests(which, further=False) for which in ("mine", "waiting", "all"))
    yield from (answers.failure("R1"), answers.failure("R1", only_reads=True), answers.OUTDATED)
    yield answers.not_read("the members", GroupNotFound("The group is gone."))
    yield answers.exported_rows(3, 2, cut=True)


def test_every_view_is_in_plain_english() -> None:
    texts = {text for view in every_view() for text in shown(view)}
    assert len(texts) > 1000

    assert findings(Text(f"shown in Slack: {text[:200]!r}", 1, text) for text in sorted(texts)) == []


@pytest.mark.parametrize("texts", [documents, docstrings_and_comments, strings])
def test_docs_docstrings_comments_and_strings_are_in_plain_english(texts: object) -> None:
    assert callable(texts)
    assert findings(texts()) == []


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The request stands here.", "'stands'"),
        ("Nobody\nasked.", "'Nobody'"),
        ("It can't wait any more.", "'any more'"),
        ("Let the request go on.", "'Let the request go on'"),
    ],
)
def test_a_finding_names_file_line_and_phrase(text: str, phrase: str) -> None:
    assert findings(iter([Text("x.py", 3, text)])) == [f"x.py:3: {phrase}"]


def test_a_docstring_begins_with_a_usual_verb() -> None:
    assert findings(iter([Text("x.py", 1, "Give the group.", is_docstring=True)])) == ["x.py:1: begins with 'Give'"]
    assert findings(iter([Text("x.py", 1, "Give the group.")])) == []


def test_code_addresses_and_quotations_are_not_prose() -> None:
    assert findings(iter([Text("x.py", 1, "The field `told`, https://x.example/stands, and “nobody”.")])) == []
