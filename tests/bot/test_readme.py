import re
from pathlib import Path

import pytest

from bot.commands.catalogue import COMMANDS
from bot.domain.outcomes import OUTCOME_TEXTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_readme_lists_every_command_as_it_is_declared() -> None:
    declared = [f"| `{command.name}` | {command.summary} | `{command.examples[0]}` |" for command in COMMANDS]
    assert [line for line in README.splitlines() if line.startswith("| `/wa")] == declared


def test_the_readme_has_the_icon_and_the_words_of_every_outcome() -> None:
    rows = [line for line in README.splitlines() if line.count("|") == 4]
    assert [
        outcome
        for outcome, meaning in OUTCOME_TEXTS.items()
        if not any(f"| {meaning.icon} |" in row and meaning.label in row for row in rows)
    ] == []


def test_every_row_on_what_providers_leave_open_names_tests_that_there_are() -> None:
    tests = {(path.stem, name) for path in (ROOT / "tests").rglob("test_*.py") for name in _tests_in(path)}
    page = (ROOT / "docs/undocumented.md").read_text()
    rows = [line.strip("| ").rpartition(" | ")[2] for line in page.splitlines() if line.startswith("| ")]
    seen = [cell for cell in rows if cell not in {"Seen in", "---", "not used"}]
    assert seen
    assert [cell for cell in seen if not set(re.findall(r"(\w+)\.py::(\w+)", cell) or [("", cell)]) <= tests] == []


def _tests_in(path: Path) -> list[str]:
    return re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]), ids=lambda page: page.name
)
def test_every_link_between_the_pages_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
