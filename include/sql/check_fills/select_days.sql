-- Looks for executions whose New York day belongs to another session than the one they were delivered for.
-- Grain: one row per account. Reads: current_deliveries, fills, sessions. Writes: -. Binds: session_date, as_of.
-- Money: -. Rerun: reads only.
-- A session covers its own day and the days without trading just before it.
with bounds as (
    select
        (
            (select max(earlier.session_date) from sessions as earlier where earlier.session_date < %(session_date)s)
            + 1
        )::timestamp at time zone 'America/New_York' as starts_at,
        (%(session_date)s::date + 1)::timestamp at time zone 'America/New_York' as ends_at
),

days as (
    select
        fills.account_id,
        count(*) as fill_count,
        count(*) filter (
            where fills.executed_at < bounds.starts_at or fills.executed_at >= bounds.ends_at
        ) as stray_count,
        min(fills.executed_at) as first_executed_at
    from current_deliveries(%(as_of)s) as current_ones
    inner join fills on current_ones.delivery_id = fills.delivery_id
    cross join bounds
    where current_ones.session_date = %(session_date)s
    group by fills.account_id
)

select
    days.account_id as subject,
    concat(days.stray_count, ' of ', days.fill_count, ' executions') as observed,
    case
        when days.stray_count > 0
            then
                concat(
                    'Account ', days.account_id, ': ', days.stray_count, ' of ', days.fill_count,
                    ' executions are dated outside the session, the first ',
                    to_char(days.first_executed_at at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI'),
                    ' New York. The source delivered them with this session; check for a carried position.'
                )
    end as finding
from days
order by days.account_id;
