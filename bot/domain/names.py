"""Names of people beside their numbers, in typed text and in the columns of files."""

import re

MAX_NAME = 100
"""Maximum characters of a name; the rest is cut."""
_KIND = re.compile(
    r"call|cell|cellphone|cellular|fax|handy|home|mob|mobile?|movil|nr|no|num|numbers?|numero|nummer|office|phone|tel"
    r"|tele(?:f|ph)ono?e?|text|wa|whatsapp|work"
)
"""Words that say what a number is."""
_FILLER = re.compile(r"add|also|and|at|contact|for|invite|is|please|plus|remove|send|und|with")
_NO_NAME = re.compile(
    rf"{_KIND.pattern}|{_FILLER.pattern}|a|contacts|e|et|group|guests?|list|members?|my|new|of|on|or|participants?"
    r"|people|person|the|to|us|y|your?"
)
_WORD = re.compile(r"[^\W\d_]+")
_EDGES = " \t\n:;,.-–—=<>()[]{}\"“”„«»`*_~|/\\#&•·+'’‘"


def name_in(text: str) -> str:
    """Return the name in the text beside a number, without the words that are no part of it; empty if there is none.

    >>> name_in("Rita: "), name_in("Mobile: "), name_in("  - Bo Li <"), name_in("and Cem (mobile)")
    ('Rita', '', 'Bo Li', 'Cem')
    """
    words = text.split()
    while words and _has_only(words[0], _FILLER):
        del words[0]
    while words and _has_only(words[-1], _KIND):
        del words[-1]
    left = " ".join(words)
    if _has_only(left, _NO_NAME):
        return ""
    return clean_name(left.strip(_EDGES))


def clean_name(text: str) -> str:
    """Return a name as one line of at most `MAX_NAME` characters."""
    return " ".join(text.split())[:MAX_NAME].rstrip()


def _has_only(text: str, unwanted: re.Pattern[str]) -> bool:
    """Return whether a text has only unwanted words, or none."""
    return all(unwanted.fullmatch(word.casefold()) for word in _WORD.findall(text))
