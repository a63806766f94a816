"""Contact cards: vCard 2.1 (versit, 1996), 3.0 (RFC 2426) and 4.0 (RFC 6350), as phones and address books write them.

A card is one person, so one of its numbers is used: WhatsApp's own id (`waid`, in cards that WhatsApp shares), else a
mobile phone, else the preferred number, else the first one; a fax or a pager only if there is nothing else.
"""

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.services.uploads.contents import MAX_ROWS, CannotRead, Card, Cards
from providers.text import clean_text

_BEGIN = re.compile(r"^[ \t]*BEGIN:VCARD[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PROPERTY = re.compile(
    r"""(?:(?P<group>[A-Za-z0-9-]+)\.)?(?P<name>BEGIN|END|FN|N|ORG|TEL|X-ABLabel)
        (?P<parameters>(?:;(?:"[^"]*+"|[^":;])*+)*+):(?P<value>.*)""",
    re.VERBOSE | re.IGNORECASE,
)
_PARAMETER = re.compile(r';([^=;":]*+)=?((?:"[^"]*+"|[^";])*+)')
_ESCAPED = re.compile(r"\\(.)")
_QUOTED_PRINTABLE = re.compile(r"^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b[^:]*:", re.IGNORECASE)
_MOBILE = frozenset({"cell", "mobile", "iphone", "whatsapp"})
_NO_PHONE = frozenset({"fax", "pager", "modem", "bbs", "telex"})
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class _Property:
    line: int
    group: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    value: str

    def parameter(self, name: str) -> str:
        return next((value for key, value in self.parameters if key == name), "")

    @property
    def types(self) -> frozenset[str]:
        """The types in lower case; version 2.1 writes them without `TYPE=`."""
        words = [value if key == "type" else key for key, value in self.parameters if key == "type" or not value]
        return frozenset(word.strip().lower() for value in words for word in value.split(","))


@dataclass(slots=True)
class _Draft:
    line: int
    names: dict[str, str] = field(default_factory=dict)
    phones: list[_Property] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)

    def card(self) -> Card:
        name = next((self.names[key] for key in ("FN", "N", "ORG") if self.names.get(key)), "")
        if not self.phones:
            return Card(self.line, name, "")
        best = min(self.phones, key=self._rank)
        whatsapp = best.parameter("waid")
        number = f"+{whatsapp}" if re.fullmatch(r"[0-9]{5,17}", whatsapp) else best.value.strip()
        digits = {re.sub(r"\D", "", phone.value) for phone in self.phones if not self._types(phone) & _NO_PHONE}
        others = digits - {re.sub(r"\D", "", best.value)}
        return Card(best.line, name, number, len(others))

    def _types(self, phone: _Property) -> frozenset[str]:
        return phone.types | {self.labels.get(phone.group, "")}

    def _rank(self, phone: _Property) -> tuple[bool, bool, bool, int]:
        types = self._types(phone)
        preference = phone.parameter("pref")
        by_preference = int(preference) if re.fullmatch(r"[0-9]{1,3}", preference) else 0 if "pref" in types else 999
        return not phone.parameter("waid"), bool(types & _NO_PHONE), not types & _MOBILE, by_preference


def has_cards(text: str) -> bool:
    """Return whether a text has a contact card."""
    return _BEGIN.search(text) is not None


def read(text: str) -> Cards:
    """Read every card of a text, including one without an end. Raises `CannotRead` if there are too many."""
    drafts: list[_Draft] = []
    inside = False
    for found in _properties(text):
        match found.name:
            case "BEGIN" | "END":
                inside = found.name == "BEGIN"
                if inside:
                    drafts.append(_Draft(found.line))
                if len(drafts) > MAX_ROWS:
                    raise CannotRead(f"This file has more than {MAX_ROWS:,} contact cards. Upload it in parts.")
            case "TEL" if inside and found.value.strip():
                drafts[-1].phones.append(found)
            case "X-ABLABEL" if inside:
                drafts[-1].labels[found.group] = found.value.removeprefix("_$!<").removesuffix(">!$_").lower()
            case name if inside:
                drafts[-1].names.setdefault(name, _name(found))
    return Cards(tuple(draft.card() for draft in drafts))


def _name(found: _Property) -> str:
    parts = [part.strip() for part in found.value.split(";")]
    if found.name == "N":  # family name first
        parts = [*parts[1:2], *parts[:1]]
    return " ".join(part for part in parts if part)[:_MAX_NAME]


def _properties(text: str) -> Iterator[_Property]:
    for number, line in _unfolded(text):
        if not (found := _PROPERTY.fullmatch(line)):
            continue
        parameters = tuple((name.lower(), value.replace('"', "")) for name, value in _PARAMETER.findall(found[3]))
        value = found["value"]
        if _QUOTED_PRINTABLE.match(line):
            charset = next((value for key, value in parameters if key == "charset"), "utf-8")
            value = _decoded(quopri.decodestring(value.encode("utf-8", errors="replace")), charset)
        value = _ESCAPED.sub(lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value)
        name = found["name"].upper()
        if name not in {"BEGIN", "END"} or value.strip().upper() == "VCARD":
            yield _Property(number, (found["group"] or "").lower(), name, parameters, value)


def _decoded(content: bytes, charset: str) -> str:
    try:
        return clean_text(content.decode(charset))
    except (LookupError, ValueError):
        return content.decode("utf-8", errors="replace")


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Join folded lines: lines that begin with a space or a tab, and soft line breaks of quoted-printable."""
    number, pieces, printable, soft = 0, list[str](), False, False
    for count, line in enumerate(text.split("\n"), start=1):
        if soft or line.startswith((" ", "\t")):
            pieces.append(line if soft else line[1:])
        else:
            if pieces:
                yield number, "".join(pieces)
            number, pieces, printable = count, [line], _QUOTED_PRINTABLE.match(line) is not None
        soft = printable and line.endswith("=")
        if soft:
            pieces[-1] = pieces[-1][:-1]
    yield number, "".join(pieces)
