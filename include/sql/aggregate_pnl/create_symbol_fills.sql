-- Gathers the fills of some accounts, one symbol of one session in a row, in the order of execution.
-- Grain: one row per account, session and symbol. Reads: current_fills, booked_deliveries. Writes: symbol_fills.
-- Rerun: gone with its transaction.
-- Binds: as_of, through_session_date, account_ids, first_session_dates (arrays of equal length).
-- Money: price in currency; quantity (buys positive), price and fees_usd (costs positive) scaled by 1e8.
-- currency: as told; null = by no fill, XXX = several. seconds: since 1970, -1 = time of day unknown.
-- sides: the letters of the fills; null where none is T or C.
-- Sorted by delivery, which stands for account and session: numbers sort faster than names. Deliveries of accounts that
-- were merged stand together under the first of them.
-- A table because several processes of Postgres may sort for it, and only one may for a cursor.
create temporary table symbol_fills on commit drop as
with touched as (
    select
        listed.account_id,
        listed.first_session_date
    from unnest(%(account_ids)s::text[], %(first_session_dates)s::date[]) as listed (account_id, first_session_date)
),

books as (
    select
        current_ones.delivery_id,
        booked.account_id,
        booked.session_date,
        booked.delivery_id as basis_id,
        min(current_ones.delivery_id) over (partition by booked.account_id, booked.session_date) as book_id
    from current_deliveries(%(as_of)s) as current_ones
    inner join booked_deliveries(%(as_of)s) as booked
        on
            current_ones.account_id = booked.account_id
            and current_ones.session_date = booked.session_date
    inner join touched
        on
            booked.account_id = touched.account_id
            and booked.session_date >= touched.first_session_date
    where current_ones.session_date <= %(through_session_date)s
),

executions as (
    select
        books.book_id,
        books.basis_id,
        books.account_id,
        books.session_date,
        known.delivery_id,
        known.symbol collate "C" as symbol,
        known.executed_at,
        known.line_number,
        (known.fees_usd * 100000000)::bigint as fees_usd,
        (known.price * 100000000)::bigint as price,
        case
            when known.is_time_unknown then -1
            else floor(date_part('epoch', known.executed_at))::bigint
        end as second,
        case
            when known.side in ('B', 'C') then (known.quantity * 100000000)::bigint
            else (known.quantity * -100000000)::bigint
        end as signed_quantity,
        known.currency,
        known.side
    from current_fills(%(as_of)s) as known
    inner join books
        on known.delivery_id = books.delivery_id
),

gathered as (
    select
        executions.symbol,
        any_value(executions.account_id) as account_id,
        any_value(executions.session_date) as session_date,
        any_value(executions.basis_id) as basis_id,
        case
            when min(executions.currency) = max(executions.currency) then min(executions.currency)
            when min(executions.currency) is not null then 'XXX'
        end as currency,
        array_agg(
            executions.signed_quantity order by executions.executed_at, executions.line_number, executions.delivery_id
        ) as signed_quantities,
        array_agg(executions.price order by executions.executed_at, executions.line_number, executions.delivery_id)
            as prices,
        array_agg(executions.second order by executions.executed_at, executions.line_number, executions.delivery_id)
            as seconds,
        sum(executions.fees_usd)::bigint as fees_usd,
        case
            when bool_or(executions.side in ('T', 'C'))
                then
                    string_agg(
                        executions.side, ''
                        order by executions.executed_at, executions.line_number, executions.delivery_id
                    )
        end as sides
    from executions
    group by executions.book_id, executions.symbol
)

select
    gathered.account_id collate "C" as account_id, -- noqa: RF03
    gathered.session_date,
    gathered.symbol,
    gathered.currency,
    gathered.signed_quantities,
    gathered.prices,
    gathered.seconds,
    gathered.fees_usd,
    gathered.basis_id as delivery_id,
    gathered.sides
from gathered
order by account_id, gathered.session_date, gathered.symbol;
