-- Reads the last fill of each symbol in some sessions.
-- Grain: one row per session, symbol and currency as stated (null = not stated). Reads: last_fills.
-- Binds: first_session_date, through_session_date. Money: price in currency scaled by 1e8.
select
    last_fills.session_date,
    last_fills.symbol,
    last_fills.currency,
    last_fills.instant,
    last_fills.line_number,
    (last_fills.price * 100000000)::bigint as price
from derived.last_fills
where last_fills.session_date between %(first_session_date)s and %(through_session_date)s
order by last_fills.session_date, last_fills.symbol, last_fills.currency;
