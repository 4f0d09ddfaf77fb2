-- Stores the new lows of the running P&L of some account-sessions, and their largest fall from the day's top.
-- Grain: one row per account and session. Reads: running_steps, daily_pnl. Writes: running_lows.
-- Binds: account_ids, session_dates (arrays of equal length). Money: US dollars, exact; lows are losses, positive,
-- ascending. Rerun: refused.
with running as (
    select
        running_steps.account_id,
        running_steps.session_date,
        running_steps.place,
        running_steps.executed_at,
        running_steps.is_time_unknown,
        sum(running_steps.change_usd) over (
            partition by running_steps.account_id, running_steps.session_date
            order by running_steps.place asc
        ) as pnl_usd
    from pg_temp.running_steps
),

extremes as (
    select
        running.*,
        least(0, min(running.pnl_usd) over (
            partition by running.account_id, running.session_date
            order by running.place asc
            rows between unbounded preceding and 1 preceding
        )) as lowest_before_usd,
        greatest(0, max(running.pnl_usd) over (
            partition by running.account_id, running.session_date
            order by running.place asc
        )) as top_usd
    from running
),

followed as (
    select
        extremes.account_id,
        extremes.session_date,
        array_agg(-extremes.pnl_usd order by extremes.place asc)
        filter (where extremes.pnl_usd < extremes.lowest_before_usd) as running_lows_usd,
        array_agg(case when not extremes.is_time_unknown then extremes.executed_at end order by extremes.place asc)
        filter (where extremes.pnl_usd < extremes.lowest_before_usd) as low_instants,
        min(extremes.executed_at) as first_fill_at,
        max(extremes.executed_at) as last_fill_at,
        max(extremes.top_usd) as top_usd,
        max(extremes.top_usd - extremes.pnl_usd) as loss_from_top_usd
    from extremes
    group by extremes.account_id, extremes.session_date
)

insert into derived.running_lows (
    account_id,
    session_date,
    running_lows_usd,
    low_instants,
    loss_from_top_usd,
    close_usd,
    first_fill_at,
    last_fill_at
)
select
    wanted.account_id,
    wanted.session_date,
    coalesce(followed.running_lows_usd, array[]::numeric[]) as running_lows_usd,
    coalesce(followed.low_instants, array[]::timestamptz[]) as low_instants,
    greatest(
        followed.loss_from_top_usd, coalesce(followed.top_usd, 0) - daily_pnl.total_pnl_usd, 0
    ) as loss_from_top_usd,
    daily_pnl.total_pnl_usd as close_usd,
    followed.first_fill_at,
    followed.last_fill_at
from unnest(%(account_ids)s::text[], %(session_dates)s::date[]) as wanted (account_id, session_date)
inner join derived.daily_pnl
    on
        wanted.account_id = daily_pnl.account_id
        and wanted.session_date = daily_pnl.session_date
left join followed
    on
        wanted.account_id = followed.account_id
        and wanted.session_date = followed.session_date;
