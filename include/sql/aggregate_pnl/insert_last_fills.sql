-- Stores the last fills that were found for these sessions.
-- Grain: one row per session, symbol and currency as stated. Reads: latest_fills. Writes: last_fills.
-- Money: price in currency. Rerun: the sessions' earlier ones are deleted first.
insert into derived.last_fills (
    session_date,
    symbol,
    currency,
    instant,
    line_number,
    price
)
select
    latest_fills.session_date,
    latest_fills.symbol,
    latest_fills.currency,
    latest_fills.instant_line_price[1] as instant,
    latest_fills.instant_line_price[2] as line_number,
    latest_fills.instant_line_price[3] * 0.00000001 as price
from latest_fills;
