-- Finds the last and the first fill of each symbol in some sessions, over all accounts, and stores them in place of
-- those stored.
-- Grain: one row per session, symbol and currency as stated (null = not stated).
-- Reads: current_deliveries, corrected_fills. Writes: last_fills, by way of latest_fills.
-- Binds: as_of, session_dates. Money: price in currency, in latest_fills scaled by 1e8.
-- Rerun: stores the same; what is deleted is never what is inserted; latest_fills is gone with its transaction.
-- What is expired, assigned or given at 0 has no price.
-- instant_rank_price: microseconds since 1970, tie rank, price. Of the last ones at one instant the greater rank, then
-- the greater price counts, of the first ones the smaller. The greatest array of numbers is one pass with a hash;
-- sorting a million fills takes four times as long, and a join depends on fresh statistics. Two statements, since
-- several processes may make a table, but none may help an insert.
create temporary table pg_temp.latest_fills on commit drop as
select
    fills.session_date,
    fills.symbol,
    fills.currency,
    max(
        array[
            (date_part('epoch', fills.executed_at) * 1000000)::bigint,
            fills.tie_rank,
            (fills.price * 100000000)::bigint
        ]
    ) as instant_rank_price,
    min(
        array[
            (date_part('epoch', fills.executed_at) * 1000000)::bigint,
            fills.tie_rank,
            (fills.price * 100000000)::bigint
        ]
    ) as first_instant_rank_price
from risk.current_deliveries(%(as_of)s) as delivered
inner join risk.corrected_fills(%(as_of)s) as fills on delivered.delivery_id = fills.delivery_id
where
    delivered.session_date = any(%(session_dates)s::date[])
    and fills.session_date = any(%(session_dates)s::date[])
    and fills.price > 0
group by fills.session_date, fills.symbol, fills.currency;

with deleted as (
    delete from derived.last_fills
    where
        last_fills.session_date = any(%(session_dates)s::date[])
        and not exists (
            select
            from pg_temp.latest_fills
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
    tie_rank,
    price,
    first_instant,
    first_price
)
select
    latest_fills.session_date,
    latest_fills.symbol,
    latest_fills.currency,
    latest_fills.instant_rank_price[1] as instant,
    latest_fills.instant_rank_price[2] as tie_rank,
    latest_fills.instant_rank_price[3] * 0.00000001 as price,
    latest_fills.first_instant_rank_price[1] as first_instant,
    latest_fills.first_instant_rank_price[3] * 0.00000001 as first_price
from pg_temp.latest_fills
on conflict (session_date, symbol, currency) do update
    set
        instant = excluded.instant,
        tie_rank = excluded.tie_rank,
        price = excluded.price,
        first_instant = excluded.first_instant,
        first_price = excluded.first_price;
