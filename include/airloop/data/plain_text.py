"""Whether the bytes of a landed file are plain text, before they are read as rows."""

import re

from airloop.errors import DataContractError

_OTHER_CODES = {
    b"\x1f\x8b": "gzip", b"PK\x03\x04": "a zip archive", b"BZh91AY&SY": "bzip2", b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd", b"PAR1\x15": "Parquet", b"\xff\xfe\0\0": "UTF-32",
    b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\xd0\xcf\x11\xe0": "an old spreadsheet (xls)",
    b"Obj\x01": "Avro", b"ARROW1\0": "Arrow", b"SQLite format 3\0": "a database of SQLite", b"%PDF-": "a PDF",
}  # fmt: skip
"""First bytes of a file that is not plain text -> what the file is."""
_OTHER_TEXTS = {
    rb"\s*(\[\s*)?\{\s*\"": "JSON",
    rb"(?i)\s*<(!doctype|html|head|body)\b": "a page of HTML, as a server answers with that has an error",
    rb"\s*<\?xml\b": "XML",
    rb"(?i)\s*(insert\s+into|create\s+table|--[^\n]*\bdump\b)\s": "a dump of SQL",
}
"""How a text begins that is not a table -> what the file is."""
# A backslash does not mask a quote: what is read would be another text. At the end of a field it may be a path's.
_MASKED_QUOTE = re.compile(rb'\\"(?=[^",\r\n])')
_HEAD = 4096


def other_form(content: bytes) -> str | None:
    """What a file is that its name calls CSV: an archive, another encoding, a page; None where it may be a table."""
    code = next((name for start, name in _OTHER_CODES.items() if content.startswith(start)), None)
    text = content[:_HEAD].removeprefix(b"\xef\xbb\xbf")
    return code or next((name for form, name in _OTHER_TEXTS.items() if re.match(form, text)), None)


def refuse_no_text(uri: str, content: bytes) -> None:
    """Nothing for UTF-8 whose last line ends, without zero bytes and masked quotes.

    Raises:
        DataContractError: Anything else; with what it is and the way out.
    """
    if not content:
        raise DataContractError(f"{uri}: is empty (0 bytes), not even a header; land it again whole")
    code = other_form(content)
    if code:
        raise DataContractError(f"{uri}: not readable as CSV in UTF-8: it is {code}; land it as plain UTF-8 text")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataContractError(
            f"{uri}: not readable as CSV in UTF-8: line {line} holds the byte 0x{content[error.start]:02x}; "
            "have it written as UTF-8"
        ) from error
    if b"\0" in content[:_HEAD]:
        raise DataContractError(
            f"{uri}: not readable as CSV in UTF-8: it has zero bytes, as UTF-16 and binary files do; land it as plain "
            "UTF-8 text"
        )
    if b'\\"' in content and (masked := _MASKED_QUOTE.search(content)):
        raise DataContractError(
            f"{uri}: not readable as CSV: line {content.count(bytes([10]), 0, masked.start()) + 1} masks a quote by a "
            'backslash; have a quote within a field written twice ("")'
        )
    if not content.endswith((b"\n", b"\r")):
        raise DataContractError(f"{uri}: the last line does not end: the file was cut off; land it again whole")
