-- Checks what was delivered for the session: rejected rows, the usual number of rows, and how old the newest fills are.
-- Grain: one row per check. Reads: current_deliveries, current_rejects, sessions.
-- Binds: session_date, as_of, load_id, reject_ratio, window_sessions, row_count_factor, minimum_sessions.
-- The number of rows is compared only with some history and some rows: no rows at all is the check feed_received.
with by_session as (
    select
        known.session_date,
        sum(known.row_count) as row_count,
        sum(known.loaded_count) as loaded_count
    from risk.current_deliveries(%(as_of)s) as known
    where known.session_date <= %(session_date)s
    group by known.session_date
),

today as (
    select coalesce(sum(by_session.row_count), 0) as row_count
    from by_session
    where by_session.session_date = %(session_date)s
),

history as (
    select
        count(*) as session_count,
        percentile_disc(0.5) within group (order by by_session.row_count) as median_row_count
    from by_session
    where
        by_session.row_count > 0
        and by_session.session_date < %(session_date)s
        and by_session.session_date >= (
            select min(recent.session_date)
            from (
                select sessions.session_date
                from risk.sessions
                where sessions.session_date <= %(session_date)s
                order by sessions.session_date desc
                limit %(window_sessions)s + 1
            ) as recent
        )
),

causes as (
    select
        count(*) as rejected_count,
        count(*) filter (where known.delivery_id is null) as unplaced_count,
        min(known.file_name) as file_name,
        min(known.line_number) as line_number,
        (array_agg(known.reason order by known.file_name, known.line_number, known.load_id))[1] as first_reason
    from risk.current_rejects(%(session_date)s, %(as_of)s, %(load_id)s) as known
    group by known.cause
),

rejected as (
    select
        coalesce(sum(causes.rejected_count), 0) as rejected_count,
        (select today.row_count from today) + coalesce(sum(causes.unplaced_count), 0) as row_count,
        (
            array_agg(
                concat(
                    case when causes.rejected_count > 1 then causes.rejected_count || ' rows rejected; first: ' end,
                    causes.first_reason
                )
                order by causes.rejected_count desc, causes.file_name asc, causes.line_number asc
            )
        )[1] as largest_cause,
        count(*) - 1 as other_cause_count
    from causes
),

newest as (
    select max(by_session.session_date) as session_date
    from by_session
    where by_session.loaded_count > 0
),

since as (
    select count(*) as session_count
    from risk.sessions
    inner join newest on sessions.session_date > newest.session_date
    where sessions.session_date <= %(session_date)s
)

select
    'reject_rate' as check_name,
    '' as subject,
    concat(rejected.rejected_count, ' of ', rejected.row_count, ' rows rejected') as observed,
    case
        when rejected.rejected_count > rejected.row_count * %(reject_ratio)s
            then
                concat(
                    rejected.rejected_count, ' of ', rejected.row_count, ' rows of the session were rejected (',
                    round(100.0 * rejected.rejected_count / rejected.row_count, 1), '%%; tolerance ',
                    trim_scale(100.0 * %(reject_ratio)s), '%%). Most of all: ', rejected.largest_cause,
                    case
                        when rejected.other_cause_count = 1 then ' 1 more reason.'
                        when rejected.other_cause_count > 1
                            then concat(' ', rejected.other_cause_count, ' more reasons.')
                    end
                )
    end as finding
from rejected
union all
select
    'row_count_usual' as check_name,
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
                    ' sessions is ', history.median_row_count, '. Check the delivery for gaps and duplicates.'
                )
    end as finding
from today
cross join history
union all
select
    'data_fresh' as check_name,
    '' as subject,
    coalesce(newest.session_date::text, 'no executions') as observed,
    case
        when newest.session_date is null
            then 'The warehouse has no executions up to this session. Check the source.'
        when since.session_count > 0
            then
                concat(
                    'The newest executions are from ', newest.session_date, ', ', since.session_count,
                    case since.session_count when 1 then ' session' else ' sessions' end,
                    ' before ',
                    %(session_date)s::date,
                    ': the limits rest on old data. Check the source.'
                )
    end as finding
from newest
cross join since;
