-- Compares the session's number of rows with the median of the sessions before.
-- Grain: one row. Reads: sessions, current_deliveries. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, window_sessions, row_count_factor, minimum_sessions.
-- Judged only with some history and some rows: nothing at all is the feed's check.
with recent as (
    select sessions.session_date
    from sessions
    where sessions.session_date <= %(session_date)s
    order by sessions.session_date desc
    limit %(window_sessions)s + 1
),

counted as (
    select
        current_ones.session_date,
        sum(current_ones.row_count) as row_count
    from current_deliveries(%(as_of)s) as current_ones
    where
        current_ones.session_date >= (select min(recent.session_date) from recent)
        and current_ones.session_date <= %(session_date)s
        and current_ones.row_count > 0
    group by current_ones.session_date
),

history as (
    select
        count(*) as session_count,
        percentile_disc(0.5) within group (order by counted.row_count) as median_row_count
    from counted
    where counted.session_date < %(session_date)s
),

today as (
    select coalesce(max(counted.row_count), 0) as row_count
    from counted
    where counted.session_date = %(session_date)s
)

select
    '' as subject,
    concat(today.row_count, ' rows, usually ', coalesce(history.median_row_count, 0)) as observed,
    case
        when
            history.session_count >= %(minimum_sessions)s
            and today.row_count > 0
            and (
                today.row_count > history.median_row_count * %(row_count_factor)s
                or today.row_count * %(row_count_factor)s < history.median_row_count
            )
            then
                concat(
                    'The session has ', today.row_count, ' rows; the median of the last ', history.session_count,
                    ' sessions is ', history.median_row_count, '. Check that the delivery is complete and not doubled.'
                )
    end as finding
from today
cross join history;
