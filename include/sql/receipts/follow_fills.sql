-- Follows the running net P&L of some account-sessions, whose books are complete, along their own fills.
-- Grain: one row per fill, by its place in the account-session.
-- Reads: positions, sessions, fills, collected_corrections.
-- Binds: as_of, account_ids, session_dates (arrays of equal length), delivery_ids and delivery_account_ids (arrays of
-- equal length: the deliveries that count, and their present accounts), first_session_date and last_session_date (the
-- range reaches the index of the fills).
-- Money: US dollars, exact; change_usd is what the fill adds to the running P&L, its fee included, gains positive.
-- Rerun: reads only; a run makes a temporary table of it, a page fetches it. Each part is made once: the planner
-- expects one row of nearly all of them. The deliveries are named, since joining them by current_fills takes ten times
-- as long as the rest.
-- A fill moves the account's P&L by the position in its symbol, from the account's own last price of it to the new one,
-- less the fee; a carried position starts at its mark at the previous close, through a split. What is not traded does
-- not move before the close. A currency counts at the session's rate throughout. Fills are ordered as in the books.
with wanted as materialized (
    select
        listed.account_id,
        listed.session_date
    from unnest(%(account_ids)s::text[], %(session_dates)s::date[]) as listed (account_id, session_date)
),

carried as materialized (
    select
        wanted.account_id,
        wanted.session_date,
        positions.symbol,
        positions.quantity,
        positions.mark_price
    from wanted
    inner join risk.sessions as trading on wanted.session_date = trading.session_date
    inner join risk.sessions as previous on previous.session_number = trading.session_number - 1
    inner join derived.positions
        on
            wanted.account_id = positions.account_id
            and previous.session_date = positions.session_date
    where positions.quantity <> 0
),

traded as materialized (
    select
        positions.account_id,
        positions.session_date,
        positions.symbol,
        positions.split_quantity,
        positions.multiplier * positions.rate as price_usd
    from wanted
    inner join derived.positions
        on
            wanted.account_id = positions.account_id
            and wanted.session_date = positions.session_date
),

delivered as materialized (
    select
        listed.delivery_id,
        listed.account_id
    from unnest(%(delivery_ids)s::bigint[], %(delivery_account_ids)s::text[]) as listed (delivery_id, account_id)
),

executions as materialized (
    select
        delivered.account_id,
        fills.session_date,
        fills.executed_at,
        fills.is_time_unknown,
        fills.tie_rank,
        fills.delivery_id,
        coalesce(applied.symbol, fills.symbol) as symbol,
        coalesce(applied.price, fills.price) as price,
        coalesce(applied.fees_usd, fills.fees_usd) as fees_usd,
        coalesce(applied.quantity, fills.quantity)
        * case when coalesce(applied.side, fills.side) in ('B', 'C') then 1 else -1 end as signed_quantity
    from risk.fills
    inner join delivered on fills.delivery_id = delivered.delivery_id
    left join risk.collected_corrections(%(as_of)s) as applied
        on
            fills.delivery_id = applied.delivery_id
            and fills.line_number = applied.line_number
    where
        fills.session_date between %(first_session_date)s and %(last_session_date)s
        and not coalesce(applied.kind = 'canceled', false)
),

held as (
    select
        executions.*,
        traded.price_usd,
        carried.quantity * carried.mark_price as carried_value,
        coalesce(carried.quantity + traded.split_quantity, 0)
        + sum(executions.signed_quantity) over (
            partition by executions.account_id, executions.session_date, executions.symbol
            order by executions.executed_at asc, executions.tie_rank asc, executions.delivery_id asc
        ) as quantity
    from executions
    inner join traded
        on
            executions.account_id = traded.account_id
            and executions.session_date = traded.session_date
            and executions.symbol = traded.symbol
    left join carried
        on
            executions.account_id = carried.account_id
            and executions.session_date = carried.session_date
            and executions.symbol = carried.symbol
),

valued as (
    select
        held.*,
        lag(held.quantity * held.price) over (
            partition by held.account_id, held.session_date, held.symbol
            order by held.executed_at asc, held.tie_rank asc, held.delivery_id asc
        ) as value_before
    from held
)

select
    valued.account_id,
    valued.session_date,
    row_number() over (
        partition by valued.account_id, valued.session_date
        order by valued.executed_at asc, valued.tie_rank asc, valued.delivery_id asc
    ) as place,
    valued.executed_at,
    valued.is_time_unknown,
    valued.symbol,
    valued.price,
    valued.signed_quantity,
    valued.quantity - valued.signed_quantity as held_quantity,
    valued.carried_value is not null and valued.value_before is null as has_gapped,
    valued.fees_usd,
    (
        (valued.quantity - valued.signed_quantity) * valued.price
        - coalesce(valued.value_before, valued.carried_value, 0)
    ) * valued.price_usd - valued.fees_usd as change_usd
from valued
order by
    valued.account_id asc,
    valued.session_date asc,
    valued.executed_at asc,
    valued.tie_rank asc,
    valued.delivery_id asc;
