"""A vendor of our own on loopback: it enforces the protocol and errs when a test asks it to."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import gzip
import io
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from urllib.parse import parse_qs

from risk.ingest.propreports.client import Endpoint

FILLS_HEADER = (
    "Date/Time,Account,B/S,Qty,Symbol,Price,Route,Liq,Comm,Ecn Fee,SEC,ORF,CAT,TAF,FTT,NSCC,Acc,Clr,Misc,"
    "Order Id,Fill Id,Currency,ISIN,CUSIP,Status,PropReports Id"
)
ACCOUNTS_HEADER = "Account Id,Account Name,First Traded,Last Traded,Currency,Cash,Unrealized"
USER, PASSWORD = "risk@firm.example", "correct horse ümlaut&battery=staple"


@dataclass
class Reply:
    """What goes over the wire.

    ``lost_count`` bytes at the end are never sent; ``pause_s`` lies between two bytes of the body.
    """

    body: str
    status: int = 200
    lost_count: int = 0
    pause_s: float = 0.0
    has_length: bool = True


Fault = Callable[[dict[str, str], Reply], Reply]


@dataclass
class Vendor:
    """The state behind the API.

    Attributes
    ----------
    accounts
        Lines of the account list.
    fills
        Lines of executions by day, in the vendor's order.
    reports
        Bodies by report type and vendor's account number.
    page_size
        Records on a page.
    faults
        Each spoils the answer to one request, in order; ``None`` leaves it whole.
    asked
        Every form that came, without token and password.
    """

    accounts: list[str] = field(default_factory=list)
    fills: dict[dt.date, list[str]] = field(default_factory=dict)
    reports: dict[tuple[str, str], str] = field(default_factory=dict)
    page_size: int = 50_000
    request_limit: int = 40
    span_s: float = 4.0
    faults: deque[Fault | None] = field(default_factory=deque)
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    issued: list[str] = field(default_factory=list)
    refused_count: int = 0
    login_preamble: str = ""
    is_packed: bool = True
    _arrivals: deque[float] = field(default_factory=deque)
    _lock: Lock = field(default_factory=Lock)
    stopping: Event = field(default_factory=Event)

    def actions(self) -> list[str]:
        return [form["action"] for form in self.asked]

    def pages(self, action: str = "fills") -> list[str]:
        return [form.get("page", "") for form in self.asked if form["action"] == action]

    def expire(self) -> None:
        self.tokens.clear()

    def answer(self, form: dict[str, str]) -> Reply:
        with self._lock:
            self.asked.append({name: text for name, text in form.items() if name not in ("token", "password")})
            reply = self._limited() or self._answer(form)
            fault = self.faults.popleft() if self.faults else None
            return fault(form, reply) if fault else reply

    def _limited(self) -> Reply | None:
        now = time.monotonic()
        self._arrivals.append(now)
        while self._arrivals[0] <= now - self.span_s:
            self._arrivals.popleft()
        if len(self._arrivals) <= self.request_limit:
            return None
        self.refused_count += 1
        return Reply("Request rate exceeded.", 500)

    def _answer(self, form: dict[str, str]) -> Reply:
        action = form.get("action", "")
        if action == "login":
            return self._login(form)
        if form.get("token") not in self.tokens:
            return Reply("Invalid or expired token.", 500)
        known = {"logout": self._logout, "accounts": self._accounts, "fills": self._fills, "report": self._report}
        return known[action](form) if action in known else Reply("Invalid action.", 500)

    def _login(self, form: dict[str, str]) -> Reply:
        if (form.get("user"), form.get("password")) != (USER, PASSWORD):
            return Reply("Invalid user or password.", 500)
        token = f"{secrets.token_hex(16)}1e:485"
        self.tokens.add(token)
        self.issued.append(token)
        return Reply(f"{self.login_preamble}{token}\n")

    def _logout(self, form: dict[str, str]) -> Reply:
        self.tokens.discard(form["token"])
        return Reply("Logged out.")

    def _accounts(self, form: dict[str, str]) -> Reply:
        if form.get("groupId") != "-2":
            return Reply("Invalid group.", 500)
        return self._paged(form, ["Accounts of the firm", "", ACCOUNTS_HEADER], self.accounts)

    def _fills(self, form: dict[str, str]) -> Reply:
        if form.get("groupId") != "-2":
            return Reply("Invalid group.", 500)
        first, last = (dt.date.fromisoformat(form[name]) for name in ("startDate", "endDate"))
        rows = [row for day in sorted(self.fills) if first <= day <= last for row in self.fills[day]]
        return self._paged(form, [FILLS_HEADER], rows)

    def _report(self, form: dict[str, str]) -> Reply:
        body = self.reports.get((form["type"], form["accountId"]))
        return Reply("Invalid account.", 500) if body is None else self._paged(form, [], body.splitlines())

    def _paged(self, form: dict[str, str], header: list[str], rows: list[str]) -> Reply:
        total = max(-(-len(rows) // self.page_size), 1)
        number = int(form.get("page", "1"))
        if not 1 <= number <= total:
            return Reply("Invalid page.", 500)
        shown = rows[(number - 1) * self.page_size : number * self.page_size]
        trailer = [f"Page {number}/{total}"] if "page" in form else []  # silently cut without
        return Reply("\n".join([*header, *shown, *trailer]) + "\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    vendor: Vendor

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._send(Reply("Use POST.", 500))

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True, strict_parsing=True)
        if self.path != "/api.php" or self.headers["Content-Type"] != "application/x-www-form-urlencoded":
            self._send(Reply("Invalid request.", 500))
            return
        self._send(self.vendor.answer({name: values[0] for name, values in form.items()}))

    def _send(self, reply: Reply) -> None:
        data = reply.body.encode()
        self.send_response(reply.status)
        if self.vendor.is_packed and "gzip" in self.headers.get("Accept-Encoding", ""):
            data = gzip.compress(data)
            self.send_header("Content-Encoding", "gzip")
        if reply.has_length:
            self.send_header("Content-Length", str(len(data)))
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        sent = data[: len(data) - reply.lost_count]
        with contextlib.suppress(OSError):
            if reply.pause_s:
                for byte in sent:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    if self.vendor.stopping.wait(reply.pause_s):
                        break
            else:
                self.wfile.write(sent)
        self.close_connection = bool(reply.lost_count or reply.pause_s or not reply.has_length)


@contextlib.contextmanager
def serving(vendor: Vendor) -> Iterator[Endpoint]:
    """Serve a vendor on a free port of loopback."""
    handler = type("Handler", (_Handler,), {"vendor": vendor})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Endpoint(f"http://127.0.0.1:{server.server_port}/api.php", USER, PASSWORD)
    finally:
        vendor.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()


def fill(number: int, day: dt.date, account: str = "NET001", side: str = "B", price: str = "10.5") -> str:
    """Write one execution in the 26-column shape."""
    names = FILLS_HEADER.split(",")
    given = {
        "Date/Time": f"{day:%m/%d/%Y} 10:{number // 60 % 60:02}:{number % 60:02}",
        "Account": account,
        "B/S": side,
        "Qty": "100",
        "Symbol": "XYZ",
        "Price": price,
        "Comm": "1.25",
        "Currency": "USD",
        "PropReports Id": str(number),
    }
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([given.get(name, "") for name in names])
    return text.getvalue()


def account(key: int, name: str, first: str = "01/02/2025", last: str = "08/15/2025") -> str:
    """Write one line of the account list."""
    return f"{key},{name},{first},{last},USD,1000.00,0.00"


def instead(status: int, body: str = "") -> Fault:
    """Answer with another status and body."""
    return lambda _form, _reply: Reply(body, status)


def spoiled(**changes: object) -> Fault:
    """Send the right answer in a wrong way."""

    def spoil(_form: dict[str, str], reply: Reply) -> Reply:
        for name, value in changes.items():
            setattr(reply, name, value)
        return reply

    return spoil


def rewritten(old: str, new: str) -> Fault:
    """Replace something in the right answer."""

    def rewrite(_form: dict[str, str], reply: Reply) -> Reply:
        assert old in reply.body
        reply.body = reply.body.replace(old, new)
        return reply

    return rewrite
