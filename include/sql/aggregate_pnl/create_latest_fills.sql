-- Finds the last fill of each symbol in some sessions, over all accounts, with its price.
-- Grain: one row per session, symbol and currency as stated (null = not stated). Reads: current_fills.
-- Writes: latest_fills.
-- Binds: as_of, session_dates. Money: price in currency scaled by 1e8. Rerun: gone with its transaction.
-- instant_line_price: microseconds since 1970, line number, price. At one instant the greater line number, then the
-- greater price counts. The greatest array of numbers is one pass with a hash; sorting a million fills takes four times
-- as long, and a join depends on fresh statistics. A table of its own, since several processes may make one, but none
-- may help an insert.
create temporary table latest_fills on commit drop as
select
    current_fills.session_date,
    current_fills.symbol,
    current_fills.currency,
    max(
        array[
            (date_part('epoch', current_fills.executed_at) * 1000000)::bigint,
            current_fills.line_number,
            (current_fills.price * 100000000)::bigint
        ]
    ) as instant_line_price
from risk.current_fills(%(as_of)s) as current_fills
where current_fills.session_date = any(%(session_dates)s::date[])
group by current_fills.session_date, current_fills.symbol, current_fills.currency;
