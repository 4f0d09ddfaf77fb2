-- Gathers the fills of some accounts, one symbol of one session in a row, in the order of execution.
-- Grain: one row per account, session and symbol. Reads: deliveries, fills. Writes: symbol_fills.
-- Rerun: gone with its transaction.
-- Binds: as_of, through_session_date, account_ids, first_session_dates (arrays of equal length).
-- Money: price in currency; quantity (buys positive), price and fees_usd (costs positive) scaled by 1e8.
-- currency: USD, or another one if any of the fills is in it. seconds: since 1970, -1 = time of day unknown.
-- Sorted by delivery, which stands for account and session: numbers sort faster than names.
-- A table because several processes of Postgres may sort for it, and only one may for a cursor.
create temporary table symbol_fills on commit drop as
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

executions as (
    select
        fills.delivery_id,
        fills.symbol collate "C" as symbol, -- noqa: RF03
        fills.executed_at,
        fills.line_number,
        (fills.fees_usd * 100000000)::bigint as fees_usd,
        (fills.price * 100000000)::bigint as price,
        case
            when fills.is_time_unknown then -1
            else floor(date_part('epoch', fills.executed_at))::bigint
        end as second,
        case
            when fills.side in ('B', 'C') then (fills.quantity * 100000000)::bigint
            else (fills.quantity * -100000000)::bigint
        end as signed_quantity,
        case
            when fills.currency <> 'USD' then fills.currency
        end as foreign_currency
    from fills
    where
        fills.delivery_id in (
            select current_ones.delivery_id
            from current_deliveries(%(as_of)s) as current_ones
            inner join touched
                on
                    current_ones.account_id = touched.account_id
                    and current_ones.session_date >= touched.first_session_date
            where current_ones.session_date <= %(through_session_date)s
        )
),

gathered as (
    select
        executions.delivery_id,
        executions.symbol,
        coalesce(max(executions.foreign_currency), 'USD') as currency,
        array_agg(executions.signed_quantity order by executions.executed_at, executions.line_number)
            as signed_quantities,
        array_agg(executions.price order by executions.executed_at, executions.line_number) as prices,
        array_agg(executions.second order by executions.executed_at, executions.line_number) as seconds,
        sum(executions.fees_usd)::bigint as fees_usd
    from executions
    group by executions.delivery_id, executions.symbol
)

select
    deliveries.account_id collate "C" as account_id,
    deliveries.session_date,
    gathered.symbol,
    gathered.currency,
    gathered.signed_quantities,
    gathered.prices,
    gathered.seconds,
    gathered.fees_usd,
    gathered.delivery_id
from gathered
inner join deliveries
    on gathered.delivery_id = deliveries.delivery_id
order by account_id, deliveries.session_date, gathered.symbol;
