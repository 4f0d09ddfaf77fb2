-- Sums up the fills of some accounts, all their sessions, for the second way of computing the books.
-- Grain: one row per delivery and symbol. Reads: current_deliveries, current_fills. Writes: flows.
-- Binds: as_of, through_session_date, account_ids. Money: exact; signed_cash in currency, sales positive, fees_usd
-- costs positive. Rerun: gone with its transaction.
create temporary table flows on commit drop as
with delivered as materialized (
    select
        current_ones.delivery_id,
        current_ones.account_id,
        current_ones.session_date
    from current_deliveries(%(as_of)s) as current_ones
    where
        current_ones.account_id = any(%(account_ids)s::text[])
        and current_ones.session_date <= %(through_session_date)s
),

summed as (
    select
        known.delivery_id,
        known.symbol,
        sum(case when known.side in ('B', 'C') then known.quantity else -known.quantity end) as signed_quantity,
        sum(case when known.side in ('B', 'C') then -known.quantity else known.quantity end * known.price)
            as signed_cash,
        sum(known.fees_usd) as fees_usd
    from current_fills(%(as_of)s) as known
    inner join delivered on known.delivery_id = delivered.delivery_id
    group by known.delivery_id, known.symbol
)

select
    delivered.account_id,
    delivered.session_date,
    summed.symbol,
    summed.signed_quantity,
    summed.signed_cash,
    summed.fees_usd
from summed
inner join delivered on summed.delivery_id = delivered.delivery_id;
