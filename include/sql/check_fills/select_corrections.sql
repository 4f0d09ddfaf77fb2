-- Names the corrections that wait for the execution they mean.
-- Grain: one row per correction that waits, and one without a finding where none does.
-- Reads: corrections, current_deliveries, fills, sessions. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, as_of, window_sessions (older ones wait in silence).
with due as (
    select
        current_ones.account_id,
        corrections.session_date,
        corrections.line_number,
        corrections.kind,
        corrections.fill_key,
        current_ones.file_name
    from corrections
    inner join current_deliveries(%(as_of)s) as current_ones
        on corrections.delivery_id = current_ones.delivery_id
    where
        corrections.session_date <= %(session_date)s
        and corrections.session_date >= (
            select min(recent.session_date)
            from (
                select sessions.session_date
                from sessions
                where sessions.session_date <= %(session_date)s
                order by sessions.session_date desc
                limit %(window_sessions)s
            ) as recent
        )
),

waiting as (
    select
        due.account_id,
        due.session_date,
        due.line_number,
        due.kind,
        due.fill_key,
        due.file_name
    from due
    where
        not exists (
            select
            from fills
            inner join current_deliveries(%(as_of)s) as corrected
                on fills.delivery_id = corrected.delivery_id
            where
                corrected.account_id = due.account_id
                and fills.fill_key = due.fill_key
                and fills.session_date <= due.session_date
        )
)

select
    concat(waiting.account_id, ' ', waiting.session_date, ' line ', waiting.line_number) as subject,
    concat(waiting.kind, ' ', waiting.fill_key) as observed,
    concat(
        waiting.file_name, ' line ', waiting.line_number, ' has the status ', waiting.kind, ' for the id ',
        waiting.fill_key, ' of account ', waiting.account_id, ', session ', waiting.session_date,
        ', and no such execution has come: the correction waits, and applies by itself when it does.'
    ) as finding
from waiting
union all
select
    '' as subject,
    'none' as observed,
    null as finding
where not exists (select from waiting)
order by subject;
