-- Stores the last fills that were found for some sessions, in place of those stored.
-- Grain: one row per session, symbol and currency as stated. Reads: latest_fills. Writes: last_fills.
-- Binds: session_dates. Money: price in currency. Rerun: stores the same; what is deleted is never what is inserted.
with deleted as (
    delete from derived.last_fills
    where
        last_fills.session_date = any(%(session_dates)s::date[])
        and not exists (
            select
            from latest_fills
            where
                latest_fills.session_date = last_fills.session_date
                and latest_fills.symbol = last_fills.symbol
                and latest_fills.currency is not distinct from last_fills.currency
        )
)

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
from latest_fills
on conflict (session_date, symbol, currency) do update
    set
        instant = excluded.instant,
        line_number = excluded.line_number,
        price = excluded.price;
