-- Checks what was delivered for the session: rejected rows, repeated rows, the usual number of rows, how old the newest
-- fills are, and versions that do not count.
-- Grain: one row per check; of rows_distinct one per account with repeated rows, of versions_counted one per account.
-- Reads: current_deliveries, deliveries, current_rejects, delivery_states, sessions.
-- Rejected rows stop the desk only where they hit half of the accounts expected (of those that delivered, where none
-- is), or more than reject_ratio of the rows belong to no account; else each account they hit is incomplete.
-- Binds: session_date, as_of, load_id, active_within, legacy_suffix, reject_ratio, window_sessions, row_count_factor,
-- minimum_sessions.
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
        coalesce(sum(causes.unplaced_count), 0) as unplaced_count,
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

desk as (
    select
        coalesce(sum(known.hit_count), 0) as hit_count,
        count(*) as account_count,
        string_agg(known.account_id, ', ' order by known.account_id) filter (where known.hit_count > 0) as hit_names
    from (
        select
            states.account_id,
            (lacking.account_id is not null)::integer as hit_count,
            states.is_expected or not bool_or(states.is_expected) over () as is_counted
        from risk.delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as states
        left join (
            select distinct current_ones.account_id
            from risk.current_deliveries(%(as_of)s) as current_ones
            where
                current_ones.session_date = %(session_date)s
                and current_ones.lost_count > 0
        ) as lacking on states.account_id = lacking.account_id
    ) as known
    where known.is_counted
),

outranked as (
    select distinct on (current_ones.account_id)
        current_ones.account_id,
        current_ones.file_name as counting_file_name,
        current_ones.recorded_at,
        later.file_name,
        later.published_at
    from risk.current_deliveries(%(as_of)s) as current_ones
    inner join risk.deliveries as own on current_ones.delivery_id = own.delivery_id
    inner join risk.deliveries as later
        on
            own.account_id = later.account_id
            and own.session_date = later.session_date
            and own.delivery_id < later.delivery_id
            and own.content_sha256 <> later.content_sha256
    where
        current_ones.session_date = %(session_date)s
        and own.published_at is null
        and later.published_at is not null
        and later.recorded_at <= %(as_of)s
    order by
        current_ones.account_id asc,
        later.delivery_id desc
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
        when
            (desk.hit_count > 0 and 2 * desk.hit_count >= desk.account_count)
            or rejected.unplaced_count > rejected.row_count * %(reject_ratio)s
            then
                concat(
                    rejected.rejected_count, ' of ', rejected.row_count, ' rows of the session were rejected: ',
                    desk.hit_count, ' of ', desk.account_count, ' accounts lack some of their rows, and ',
                    rejected.unplaced_count, ' rows belong to no account. A run stops at half of the accounts or ',
                    trim_scale(100.0 * %(reject_ratio)s), '%% of the rows. Most of all: ', rejected.largest_cause,
                    case
                        when rejected.other_cause_count = 1 then ' 1 more reason.'
                        when rejected.other_cause_count > 1
                            then concat(' ', rejected.other_cause_count, ' more reasons.')
                    end,
                    ' A wrong file that was removed counts until its accounts deliver again: withdraw what it brought',
                    ' (riskctl withdraw --account A --session ', %(session_date)s::date, ' --reason "...")',
                    case when desk.hit_count > 0 then concat(', here of ', desk.hit_names) end, '.'
                )
    end as finding
from rejected
cross join desk
union all
select
    'rows_distinct' as check_name,
    known.account_id as subject,
    concat(sum(known.duplicate_count), ' of ', sum(known.row_count), ' rows repeated') as observed,
    concat(known.account_id, ': ', string_agg(deliveries.note, ' ' order by known.delivery_id)) as finding
from risk.current_deliveries(%(as_of)s) as known
inner join risk.deliveries on known.delivery_id = deliveries.delivery_id
where
    known.session_date = %(session_date)s
    and known.duplicate_count > 0
group by known.account_id
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
cross join since
union all
select
    'versions_counted' as check_name,
    outranked.account_id as subject,
    outranked.file_name as observed,
    concat(
        outranked.account_id, ': ', outranked.file_name, ' (published ',
        to_char(outranked.published_at at time zone %(exchange_zone)s, 'YYYY-MM-DD HH24:MI'),
        ' ', %(exchange_city)s, ') does not count, because ', outranked.counting_file_name,
        ' came without a manifest and was loaded at ',
        to_char(outranked.recorded_at at time zone %(exchange_zone)s, 'YYYY-MM-DD HH24:MI'),
        ', after that. If it is the right version, publish it again: a later published_at in manifest.csv.'
    ) as finding
from outranked;
