"""Text out of bytes of which nobody says in what encoding they are."""

import codecs
import re

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins like the mark of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 65_536
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x19\x1b\x7f\ufffd]")
_MOST_CONTROLS = 0.02


def decode(content: bytes) -> str | None:
    """Give the text without NUL characters and with one character for every line end; None if it is no text.

    Exporters write UTF-8 and UTF-16, with a byte order mark or without, and Windows' code page 1252. Another code page
    of one byte reads with wrong letters but right digits.
    """
    text = _decoded(content).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    sample = text[:_SAMPLE]
    return None if len(_CONTROL.findall(sample)) > _MOST_CONTROLS * len(sample) else text


def _decoded(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    sample = content[:_SAMPLE]
    for encoding, nuls in (("utf-16-le", sample[1::2].count(0)), ("utf-16-be", sample[0::2].count(0))):
        if nuls > len(sample) / 4:  # digits have one in every two bytes
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
