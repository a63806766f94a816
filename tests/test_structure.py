"""The structure that documentation and reviews rely on."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADAPTERS = ("twochat", "wacr", "wagateway", "wasend", "wuts")
MODULES = {"__init__", "adapter", "api", "capabilities", "errors", "membership", "models"}
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md")])
_PATH = re.compile(r"`((?:bot|handlers|providers|sandbox|tests|benchmarks|docs|contracts|requirements)/[\w./-]*)`")
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_adapter_has_the_same_modules(adapter: str) -> None:
    modules = {path.stem for path in (ROOT / "providers" / adapter).glob("*.py")}
    assert modules >= MODULES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text()
    named = [ROOT / path for path in _PATH.findall(text)] + [page.parent / link for link in _LINK.findall(text)]
    assert [str(path) for path in named if not path.exists()] == []
