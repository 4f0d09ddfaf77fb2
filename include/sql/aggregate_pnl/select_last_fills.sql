-- Finds the last fill of each symbol in each session, over all accounts, with its price.
-- Grain: one row per session, symbol and currency as told (null = not told). Reads: current_fills. Writes: -.
-- Rerun: reads only.
-- Binds: as_of, first_session_date, through_session_date. Money: price in currency scaled by 1e8.
-- At one instant the greater line number, then the greater price counts. The greatest array of numbers is one pass
-- with a hash; sorting a million fills takes four times as long, and a join depends on fresh statistics.
with latest as (
    select
        known.session_date,
        known.symbol,
        known.currency,
        max(
            array[
                (date_part('epoch', known.executed_at) * 1000000)::bigint,
                known.line_number,
                (known.price * 100000000)::bigint
            ]
        ) as instant_line_price
    from current_fills(%(as_of)s) as known
    where
        known.session_date between %(first_session_date)s and %(through_session_date)s
    group by known.session_date, known.symbol, known.currency
)

select
    latest.session_date,
    latest.symbol,
    latest.currency,
    latest.instant_line_price
from latest
order by latest.session_date, latest.symbol, latest.currency;
