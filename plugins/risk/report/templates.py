"""Letters: templates become subject, HTML and text, and these become a mail message."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import quopri
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import cache
from typing import Any

import jinja2

from risk.core import money
from risk.core.errors import RequestError
from risk.core.settings import TEMPLATE_DIR, settings

TEXT_WIDTH = 78

PART_BYTES = 300
"""Headers and boundary of a part of a mail."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The views a mail is made of; line ends are line feeds.

    Attributes
    ----------
    subject, html, text
        The mail.
    pictures
        PNG by name; the HTML shows one as ``cid:<name>``.
    attachments
        CSV by file name.
    """

    subject: str
    html: str
    text: str
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)

    @property
    def byte_count(self) -> int:
        """What the mail weighs, but for its headers."""
        texts = (self.html, self.text, *self.attachments.values())
        return sum(len(quopri.encodestring(text.encode())) for text in texts) + sum(
            len(base64.encodebytes(picture)) + PART_BYTES for picture in self.pictures.values()
        )

    @property
    def standalone_html(self) -> str:
        """The HTML with its pictures inside, for a file that is read without the mail around it."""
        page = self.html
        for name, picture in self.pictures.items():
            data = base64.b64encode(picture).decode()
            page = page.replace(f'src="cid:{name}"', f'src="data:image/png;base64,{data}"')
        return page


def render(template: str, page: Any) -> Rendered:
    """Write a page down in its three views.

    Parameters
    ----------
    template
        First part of the names ``<template>.subject.j2``, ``.html.j2`` and ``.txt.j2``.
    page
        What the templates see under the name ``page``.

    Raises
    ------
    jinja2.UndefinedError
        If a template names something the page does not have.
    """
    views = {
        kind: _environment(kind).get_template(f"{template}.{kind}.j2").render(page=page)
        for kind in ("subject", "html", "txt")
    }
    return Rendered(" ".join(views["subject"].split()), views["html"], wrapped(views["txt"]))


def wrapped(text: str) -> str:
    """Break long lines at words, continuing two columns deeper; a word longer than a line stays whole."""
    return "\n".join(_wrapped_line(line.rstrip()) for line in text.strip().splitlines()) + "\n"


def _wrapped_line(line: str) -> str:
    if len(line) <= TEXT_WIDTH:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(
        line.lstrip(),
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def compile_templates() -> None:
    """Compile every template of letters, which takes as long as filling them in; later calls find them compiled."""
    for path in TEMPLATE_DIR.glob("*.*.j2"):
        kind = path.name.split(".")[-2]
        _environment(kind).get_template(path.name)
        _environment(kind).get_template("macros.j2")


@cache
def _environment(kind: str) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATE_DIR),
        # One environment per kind: a macro of macros.j2 escapes what it writes in HTML, and must not in text.
        # Escaping by the name of the file instead would let its macros' output pass into HTML unescaped.
        autoescape=kind == "html",  # noqa: S701
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(money.FILTERS)
    return environment


def compose(rendered: Rendered, *, recipient: str, variable: str, message_id: str, date: dt.datetime) -> EmailMessage:
    """Build the mail to one recipient; the same arguments give the same headers and parts.

    Parameters
    ----------
    rendered
        Subject, HTML and text.
    recipient
        One address, ``name@domain``.
    variable
        Name of the setting that holds the recipient, for the error's sentence.
    message_id
        Its identity: the same at every attempt, so that a mailbox can drop a second copy.
    date
        Aware instant of the mail's date.

    Raises
    ------
    RequestError
        If sender or recipient is no mail address.
    """
    message = EmailMessage(policy=SMTP)
    sender = _address(settings().sender, "RISK_SENDER")
    message["From"] = Address("Risk run", sender.username, sender.domain)
    message["To"] = _address(recipient, variable)
    message["Subject"] = rendered.subject
    message["Date"] = date.astimezone(dt.UTC)
    message["Message-ID"] = message_id
    # Out-of-office robots must not answer the risk run (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    _add_pictures(message, rendered.pictures)
    for name, content in rendered.attachments.items():
        message.add_attachment(content, subtype="csv", filename=name, cte="quoted-printable")
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{hashlib.sha256(f'{number} {message_id}'.encode()).hexdigest()[:32]}")
    return message


def _add_pictures(message: EmailMessage, pictures: Mapping[str, bytes]) -> None:
    """Put pictures beside the HTML that shows them (RFC 2387)."""
    page = message.get_body(("html",))
    for name, picture in pictures.items():
        page.add_related(  # type: ignore[union-attr]  # the caller has just added this part
            picture, "image", "png", cid=f"<{name}>", filename=f"{name}.png", disposition="inline"
        )


def _address(text: str, variable: str) -> Address:
    """Parse a bare address; a line break or a second address in it is refused, not cleaned."""
    try:
        address = Address(addr_spec=text)
        is_complete = bool(address.username and address.domain)
    except (ValueError, IndexError, MessageError):
        is_complete = False
    if not is_complete:
        raise RequestError(f"{text!r} is no mail address: correct {variable}.")
    return address
