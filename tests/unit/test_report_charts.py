"""The charts of the mail: small, the same every time, beside facts that do not need them."""

from __future__ import annotations

import email
import email.policy
import io
import random
import re
from decimal import Decimal
from email.message import EmailMessage

import pytest
from PIL import Image

from risk.core.settings import read_settings
from risk.report.charts import cumulative_pnl, draw_charts, draw_forecast, draw_pnl
from risk.report.facts import AccountFacts, Facts
from risk.report.page import Links, build_page
from risk.report.render import Rendered, render_report, render_views
from risk.report.send import report_mail
from tests.report_desks import RUN, account, desk

MAIL_BYTES = 100_000
CURVE_BLUE, DRAWDOWN_RED = (0x3B, 0x82, 0xC4), (0xD9, 0x82, 0x7A)
LIMIT_RED = (0xC0, 0x39, 0x2B)


def lively(name: str, cut: str = "0.40", **changes: object) -> AccountFacts:
    """Make an account with 60 results and a fan, drawn from its name."""
    dice = random.Random(name)
    results = tuple(Decimal(round(dice.gauss(0, 900), 2)).quantize(Decimal("0.01")) for _ in range(60))
    fan = tuple(Decimal(amount) for amount in (-4000, -2345, -1800, -700, 50, 900, 2600))
    return account(name, cut, recent_results_usd=results, forecast_fan_usd=fan, **changes)


def wordy(name: str) -> AccountFacts:
    """Make an account about which there is as much to say as there may be."""
    reasons = (
        "Drawdown $12,345 from 20-day peak (8.7x typical daily P&L of $1,419), the largest in the last 250 days",
        "5 straight losing days",
    )
    explanations = ("Recent forecasts were too conservative: -12%, with a longer explanation of the reason",) * 3
    return lively(name, "0.60", reasons=reasons, explanations=explanations, loss_probability=Decimal("0.02"))


def rendered(facts: Facts) -> Rendered:
    return render_report(facts, RUN, Links())


def mailed(facts: Facts) -> bytes:
    return report_mail(rendered(facts), RUN, read_settings()).message("rm@example.test").as_bytes()


def has_color(picture: bytes, color: tuple[int, int, int]) -> bool:
    image = Image.open(io.BytesIO(picture)).convert("RGBA")
    pixels = [image.getpixel((x, y)) for x in range(image.width) for y in range(image.height)]
    return any(p[3] > 200 and max(abs(p[i] - color[i]) for i in range(3)) < 16 for p in pixels)  # type: ignore[index]


def test_running_sum_and_peak_of_results_start_at_nothing() -> None:
    one = account(recent_results_usd=(Decimal(-100), Decimal(300), Decimal(-50), Decimal(-200)))

    # Sums -100, 200, 150, -50; the peak starts at 0: 0, 200, 200, 200.
    sums, peaks = cumulative_pnl(one)
    assert sums == [Decimal(-100), Decimal(200), Decimal(150), Decimal(-50)]
    assert peaks == [Decimal(0), Decimal(200), Decimal(200), Decimal(200)]


def test_curve_shades_a_drawdown_and_only_where_there_is_one() -> None:
    falling = draw_pnl(account(recent_results_usd=(Decimal(500), Decimal(-300), Decimal(-400))))
    rising = draw_pnl(account(recent_results_usd=(Decimal(500), Decimal(300), Decimal(400))))

    assert has_color(falling, DRAWDOWN_RED)
    assert has_color(falling, CURVE_BLUE)
    assert not has_color(rising, DRAWDOWN_RED)


def test_fan_shows_the_limit_with_and_without_bands() -> None:
    assert has_color(draw_forecast(lively("A")), LIMIT_RED)
    assert has_color(draw_forecast(account()), LIMIT_RED)


def test_no_chart_is_drawn_from_nothing() -> None:
    assert draw_pnl(account()) == b""
    assert draw_forecast(account(forecast_quantile_05_usd=None)) == b""
    assert dict(draw_charts(desk([]), 100_000)) == {}


def test_charts_are_the_same_bytes_every_time_and_small() -> None:
    facts = desk([lively("NET001"), lively("NET002", "0.20"), lively("NET003", "0.00")])

    first, second = draw_charts(facts, 100_000), draw_charts(facts, 100_000)

    assert first == second
    assert list(first) == ["pnl-0", "forecast-0", "pnl-1", "forecast-1"]
    assert all(len(picture) < 15_000 for picture in first.values())


@pytest.mark.parametrize("count", [0, 1, 12, 23])
def test_mail_weighs_less_than_100_kilobytes(count: int) -> None:
    facts = desk([wordy(f"NET{number:03d}") for number in range(count)])

    assert len(mailed(facts)) < MAIL_BYTES


def test_mail_has_the_charts_of_ten_restricted_traders_of_23() -> None:
    facts = desk([wordy(f"NET{number:03d}") for number in range(10)] + [account(f"L{n}", "0.00") for n in range(13)])

    assert rendered(facts).html.count("<img") == 20
    assert len(mailed(facts)) < MAIL_BYTES


def test_charts_of_many_traders_are_those_of_the_most_urgent_that_fit() -> None:
    facts = desk([lively(f"NET{number:03d}") for number in range(200)])

    drawn = draw_charts(facts, 30_000)

    # Carried in base64, a third more.
    assert sum(map(len, drawn.values())) * 4 / 3 < 30_000
    assert "pnl-0" in drawn
    assert "pnl-199" not in drawn
    views = render_views("risk_report", build_page(facts, RUN, Links(), drawn))
    assert views.html.count("<img") == len(drawn)
    assert views.text.count("REDUCE LIMIT BY 40%") == views.html.count("REDUCE LIMIT BY 40%") == 200


def test_every_chart_of_the_page_is_a_part_of_the_mail_and_is_named_in_its_alternative_text() -> None:
    found = email.message_from_bytes(mailed(desk([lively("NET001")])), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    page = found.get_body(("html",))
    assert page is not None
    markup = page.get_content()

    shown = re.findall(r'<img src="cid:([^"]+)"', markup)
    carried = {part["Content-ID"].strip("<>"): part for part in found.walk() if part["Content-ID"]}

    assert shown == list(carried) == ["pnl-0", "forecast-0"]
    assert carried["forecast-0"].get_content_type() == "image/png"
    alternatives = re.findall(r'alt="([^"]+)"', markup)
    assert alternatives == ["Chart: cumulative P&amp;L", "Chart: forecast and limit"]
    # What they show is said once, below them.
    assert len(re.findall(r"Last 60 days: P&L [+-]\$[\d,]+, drawdown \$[\d,]+", markup)) == 1
    assert markup.count("95% VaR $2,346") == 1


def test_mail_with_charts_has_the_same_bytes_every_time() -> None:
    facts = desk([lively("NET001"), lively("NET002")])

    assert mailed(facts) == mailed(facts)


def test_page_outside_the_mail_carries_its_charts_embedded() -> None:
    page = rendered(desk([lively("NET001")])).standalone_html

    assert page.count('src="data:image/png;base64,') == 2
    assert "cid:" not in page
