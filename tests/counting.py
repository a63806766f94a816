"""A count of the work that a piece of code does, the same on every machine, for tests of how that work grows."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

import pytest


def work_of(code: Callable[[], object], *modules: ModuleType) -> int:
    """Run `code` and return how many functions it called and how many characters it searched with `modules`' patterns.

    Backtracking within one match isn't counted; a test that never ends runs into its timeout.
    """
    code()  # fills the caches, which would make the first run look like more work
    with _counting_patterns(modules) as characters:
        calls = _calls_of(code)
    return calls + sum(characters)


def _calls_of(code: Callable[[], object]) -> int:
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        code()
    finally:
        sys.setprofile(before)
    return calls


@contextmanager
def _counting_patterns(modules: tuple[ModuleType, ...]) -> Iterator[list[int]]:
    characters: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        for module in modules:
            for name, value in vars(module).copy().items():
                if isinstance(value, re.Pattern):
                    patch.setattr(module, name, _CountingPattern(value, characters))
        yield characters


class _CountingPattern:
    """A compiled pattern that notes how far each search looked: to the end of the match, or of the text without one."""

    def __init__(self, pattern: re.Pattern[str], characters: list[int]) -> None:
        self._pattern = pattern
        self._characters = characters

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._pattern, name)
        if name in {"match", "fullmatch", "search"}:
            return lambda text, start=0, end=sys.maxsize: self._once(method, text, start, end)
        return lambda *args: self._throughout(method, args)

    def _once(
        self, method: Callable[[str, int, int], re.Match[str] | None], text: str, start: int, end: int
    ) -> re.Match[str] | None:
        found = method(text, start, end)
        self._characters.append((found.end() if found else min(end, len(text))) - start)
        return found

    def _throughout(self, method: Callable[..., object], args: tuple[Any, ...]) -> object:
        self._characters.append(len(next(arg for arg in reversed(args) if isinstance(arg, str))))
        return method(*args)
