-- Follows each account through the sessions that past recommendations were for: the new lows of its running net P&L.
-- Grain: one row per recommendation that counts, whose session's books are complete and that has no outcome yet.
-- Reads: scored_recommendations, daily_pnl, positions, sessions, current_fills, cut_outcomes. Binds: as_of.
-- Money: US dollars, exact; running_lows_usd are losses, positive, ascending.
-- A fill moves the account's P&L by the position in its symbol, from the account's own last price of it to the new one,
-- less the fee; a carried position starts at its mark at the previous close, through a split. What is not traded does
-- not move before the close. A currency counts at the session's rate throughout. Fills are ordered as in the books.
with wanted as (
    select
        counted.account_id,
        counted.effective_session,
        counted.run_id,
        counted.reported_at,
        counted.is_live,
        counted.base_limit_usd,
        counted.cut_ratio,
        counted.limit_usd,
        daily_pnl.total_pnl_usd as close_usd
    from risk.scored_recommendations(%(as_of)s) as counted
    inner join derived.daily_pnl
        on
            counted.account_id = daily_pnl.account_id
            and counted.effective_session = daily_pnl.session_date
    where
        daily_pnl.total_pnl_usd is not null
        and not exists (
            select from derived.cut_outcomes
            where
                cut_outcomes.account_id = counted.account_id
                and cut_outcomes.effective_session = counted.effective_session
        )
),

carried as (
    select
        wanted.account_id,
        wanted.effective_session,
        positions.symbol,
        positions.quantity,
        positions.mark_price
    from wanted
    inner join risk.sessions as trading on wanted.effective_session = trading.session_date
    inner join risk.sessions as previous on previous.session_number = trading.session_number - 1
    inner join derived.positions
        on
            wanted.account_id = positions.account_id
            and previous.session_date = positions.session_date
    where positions.quantity <> 0
),

executions as (
    select
        known.account_id,
        known.session_date,
        known.symbol,
        known.executed_at,
        known.tie_rank,
        known.delivery_id,
        known.price,
        known.fees_usd,
        case when known.side in ('B', 'C') then known.quantity else -known.quantity end as signed_quantity
    from risk.current_fills(%(as_of)s) as known
    inner join wanted
        on
            known.account_id = wanted.account_id
            and known.session_date = wanted.effective_session
),

held as (
    select
        executions.account_id,
        executions.session_date,
        executions.symbol,
        executions.executed_at,
        executions.tie_rank,
        executions.delivery_id,
        executions.price,
        executions.fees_usd,
        executions.signed_quantity,
        positions.multiplier * positions.rate as price_usd,
        carried.quantity * carried.mark_price as carried_value,
        coalesce(carried.quantity + positions.split_quantity, 0)
        + sum(executions.signed_quantity) over (
            partition by executions.account_id, executions.session_date, executions.symbol
            order by executions.executed_at asc, executions.tie_rank asc, executions.delivery_id asc
        ) as quantity
    from executions
    inner join derived.positions
        on
            executions.account_id = positions.account_id
            and executions.session_date = positions.session_date
            and executions.symbol = positions.symbol
    left join carried
        on
            executions.account_id = carried.account_id
            and executions.session_date = carried.effective_session
            and executions.symbol = carried.symbol
),

steps as (
    select
        held.account_id,
        held.session_date,
        held.executed_at,
        held.tie_rank,
        held.delivery_id,
        (
            (held.quantity - held.signed_quantity) * held.price
            - coalesce(
                lag(held.quantity * held.price) over (
                    partition by held.account_id, held.session_date, held.symbol
                    order by held.executed_at asc, held.tie_rank asc, held.delivery_id asc
                ),
                held.carried_value,
                0
            )
        ) * held.price_usd - held.fees_usd as change_usd
    from held
),

running as (
    select
        steps.account_id,
        steps.session_date,
        steps.executed_at,
        steps.tie_rank,
        steps.delivery_id,
        -sum(steps.change_usd) over (
            partition by steps.account_id, steps.session_date
            order by steps.executed_at asc, steps.tie_rank asc, steps.delivery_id asc
        ) as loss_usd
    from steps
),

lowest as (
    select
        running.account_id,
        running.session_date,
        running.loss_usd,
        max(running.loss_usd) over (
            partition by running.account_id, running.session_date
            order by running.executed_at asc, running.tie_rank asc, running.delivery_id asc
            rows between unbounded preceding and 1 preceding
        ) as lowest_before_usd
    from running
),

new_lows as (
    select
        lowest.account_id,
        lowest.session_date,
        array_agg(lowest.loss_usd order by lowest.loss_usd asc) as running_lows_usd
    from lowest
    where lowest.loss_usd > greatest(lowest.lowest_before_usd, 0)
    group by lowest.account_id, lowest.session_date
)

select
    wanted.account_id,
    wanted.effective_session,
    wanted.run_id,
    wanted.reported_at,
    wanted.is_live,
    wanted.base_limit_usd,
    wanted.cut_ratio,
    wanted.limit_usd,
    coalesce(new_lows.running_lows_usd, array[]::numeric[]) as running_lows_usd,
    wanted.close_usd
from wanted
left join new_lows
    on
        wanted.account_id = new_lows.account_id
        and wanted.effective_session = new_lows.session_date
order by
    wanted.effective_session asc,
    wanted.account_id asc;
