-- Names the sessions for which the vendor's answer to the run's load was incomplete, and what that blocks.
-- Grain: one row per session. Reads: vendor_answers. Writes: -. Money: -. Rerun: reads only.
-- Binds: session_date, load_id.
-- A session that was never answered whole has no books: limits cannot rest on them. One that was answered whole before
-- keeps those books, and only its latest restatement is unknown.
with asked as (
    select
        vendor_answers.session_date,
        vendor_answers.page_count,
        vendor_answers.finding,
        (
            select max(earlier.asked_at)
            from vendor_answers as earlier
            where
                earlier.session_date = vendor_answers.session_date
                and earlier.load_id < vendor_answers.load_id
                and earlier.finding is null
        ) as answered_at
    from vendor_answers
    where
        vendor_answers.load_id = %(load_id)s
        and vendor_answers.session_date <= %(session_date)s
)

select
    asked.session_date::text as subject,
    concat(asked.page_count, ' pages') as observed,
    case
        when asked.finding is not null and asked.answered_at is null
            then
                concat(
                    'The vendor''s answer for session ', asked.session_date, ' is incomplete: ', asked.finding,
                    '. Nothing of it is loaded, and it was never answered whole before: limits that rest on it are ',
                    'blocked. Ask the vendor, then clear extract_fills.'
                )
    end as missing_finding,
    case
        when asked.finding is not null and asked.answered_at is not null
            then
                concat(
                    'The vendor''s answer for session ', asked.session_date, ' is incomplete: ', asked.finding,
                    '. Its books stay as they were answered at ',
                    to_char(asked.answered_at at time zone 'America/New_York', 'YYYY-MM-DD HH24:MI'),
                    ' New York: a restatement since then is not in them.'
                )
    end as stale_finding
from asked
order by asked.session_date;
