"""E-mail: the headers that people read, then the body: the plain text, or else the HTML."""

from __future__ import annotations

from collections.abc import Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from structgen.documents.charset import decoded
from structgen.documents.file import File
from structgen.documents.markup import html_text
from structgen.documents.places import Contents
from structgen.errors import InvalidDocument

HEADERS = ("From", "To", "Cc", "Date", "Subject")
MOST_NAMED = 5  # attachments


def read_mail(file: File, encoding: str | None = None) -> Contents:
    """The headers, an empty line, and the body of an e-mail; attachments are noted, not read."""
    message = BytesParser(EmailMessage, policy=policy.default).parsebytes(file.content)
    body = next((text for part in _bodies(message) if (text := _text(part, file, encoding)).strip()), "")
    headers = [f"{name}: {value}" for name in HEADERS if (value := _header(message, name, file, encoding))]
    attached = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    if not body and not attached and not headers:
        raise InvalidDocument(
            f"{file.shown} is an e-mail without headers and without a body: there is nothing to read"
        )
    shown = ", ".join(attached[:MOST_NAMED]) + (", …" if len(attached) > MOST_NAMED else "")
    notes = (f"{file.shown} has attachments, which were not read: {shown}",) if attached else ()
    return Contents("\n".join([*headers, "", body.strip()]).strip("\n"), notes=notes)


def _bodies(message: EmailMessage) -> Iterator[EmailMessage]:
    """The parts that may be the body, the best one first."""
    for preferred in ("plain", "html"):
        part = message.get_body((preferred,))
        if isinstance(part, EmailMessage):
            yield part


def _text(part: EmailMessage, file: File, encoding: str | None) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    shown = f"the body of {file.shown}"
    text = decoded(payload, shown, encoding=encoding, declared=part.get_content_charset())
    return html_text(text, shown) if part.get_content_subtype() == "html" else text.replace("\r\n", "\n")


def _header(message: EmailMessage, name: str, file: File, encoding: str | None) -> str:
    """A header on one line. A date is as it was written; what follows no rule stays as it is."""
    replaced = "\N{REPLACEMENT CHARACTER}"
    written = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    try:
        value = written if name == "Date" else str(message[name] or "")
    except (ValueError, LookupError, AttributeError, TypeError):  # of parsers that meet malformed addresses
        value = written
    if replaced in value and replaced not in written:
        value = written  # bytes of an unknown encoding
    content = " ".join(value.split()).encode("utf-8", "surrogateescape")
    return decoded(
        content, f"the header {name} of {file.shown}", encoding=encoding if value is written else None
    )
