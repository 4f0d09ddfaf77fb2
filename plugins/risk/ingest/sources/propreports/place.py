"""Where the vendor answers and who asks; the password is shown nowhere."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from risk.core.errors import RefusalError

CONNECTION_ID: Final = "risk_vendor"
API_PATH: Final = "/api.php"


@dataclass(frozen=True, slots=True)
class Place:
    """The vendor's API as one user sees it.

    Attributes
    ----------
    url
        Address that takes every request.
    user, password
        What the login sends; neither is part of the representation.
    """

    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)

    @property
    def host(self) -> str:
        """Name of the server, for messages."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_on_this_machine(self) -> bool:
        """Whether requests stay on this machine: only then may they travel unencrypted."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_place(text: str) -> Place:
    """Read an Airflow connection, URI or JSON, as it stands in ``AIRFLOW_CONN_RISK_VENDOR``.

    Raises
    ------
    RefusalError
        If it names no host, no user or no password, or would send them unencrypted; the message repeats none of them.
    """
    if text.lstrip().startswith("{"):
        try:
            return place_of(json.loads(text))
        except json.JSONDecodeError:
            raise _refusal("is neither a URI nor JSON") from None
    try:
        parts = urlsplit(text)
        given = {"conn_type": parts.scheme, "host": parts.hostname, "port": parts.port, "schema": parts.path.strip("/")}
    except ValueError:
        raise _refusal("is no URI") from None
    return place_of(given | {"login": unquote(parts.username or ""), "password": unquote(parts.password or "")})


def place_of(given: Mapping[str, Any]) -> Place:
    """Build the place from the fields of an Airflow connection.

    Parameters
    ----------
    given
        ``conn_type``, ``host``, ``port``, ``schema``, ``login``, ``password``. As in Airflow's HTTP connections the
        schema or the host may say ``https`` where the type says only ``http``.

    Raises
    ------
    RefusalError
        As ``read_place``.
    """
    named = str(given.get("host") or "")
    scheme, is_split, host = named.rpartition("://")
    host = host.partition("/")[0]
    schemes = (scheme if is_split else "", given.get("schema"), given.get("conn_type"))
    scheme = next((str(name) for name in schemes if name in ("http", "https")), "")
    missing = [name for name in ("host", "login", "password") if not given.get(name)]
    if missing or not host:
        raise _refusal(f"lacks {' and '.join(missing) or 'host'}")
    port = f":{given['port']}" if given.get("port") else ""
    place = Place(f"{scheme}://{host}{port}{API_PATH}", str(given["login"]), str(given["password"]))
    if scheme != "https" and not (scheme == "http" and place.is_on_this_machine):
        raise _refusal(f"would send the password to {place.host} unencrypted")
    return place


def _refusal(found: str) -> RefusalError:
    return RefusalError(
        f"The Airflow connection {CONNECTION_ID} {found}: write it as "
        '{"conn_type": "https", "host": "<firm>.propreports.com", "login": "...", "password": "..."}.'
    )
