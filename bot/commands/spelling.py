"""The word that somebody meant where they typed one that nobody knows."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], *, alike: float = 0.6) -> str:
    """Give the known word that looks most like one; empty where none does. Case does not count.

    >>> nearest("Mirorr", ["add", "mirror", "report"])
    'mirror'
    """
    by_fold = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=alike)
    return by_fold[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], *, alike: float = 0.6, then: str = "") -> str:
    """Ask for the nearest word, as a sentence that follows another; `then` is written behind it. Empty where none is.

    >>> did_you_mean("anounce", ["announce", "lock"], then=":")
    ' Did you mean `announce:`?'
    """
    near = nearest(word, known, alike=alike)
    return f" Did you mean `{near}{then}`?" if near else ""
