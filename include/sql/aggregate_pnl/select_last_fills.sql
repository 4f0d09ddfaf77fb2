-- Finds the price of the last US dollar fill of each symbol in each session, over all accounts.
-- Grain: one row per session and symbol. Reads: current_fills. Writes: -. Rerun: reads only.
-- Binds: as_of, first_session_date, through_session_date. Money: price in US dollars scaled by 1e8.
-- At one instant the greater line number, then the greater price counts. The greatest array of numbers is one pass
-- with a hash; sorting a million fills takes four times as long, and a join depends on fresh statistics.
with latest as (
    select
        known.session_date,
        known.symbol,
        max(
            array[
                (extract(epoch from known.executed_at) * 1000000)::bigint,
                known.line_number,
                (known.price * 100000000)::bigint
            ]
        ) as instant_line_price
    from current_fills(%(as_of)s) as known
    where
        known.session_date between %(first_session_date)s and %(through_session_date)s
        and coalesce(known.currency, 'USD') = 'USD'
    group by known.session_date, known.symbol
)

select
    latest.session_date,
    latest.symbol,
    latest.instant_line_price[3] as price
from latest
order by latest.session_date, latest.symbol;
