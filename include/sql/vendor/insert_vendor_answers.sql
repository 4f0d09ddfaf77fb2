-- Records what the vendor answered for the sessions of one load.
-- Grain: one row per load and session. Reads: -. Writes: vendor_answers. Money: -.
-- Binds: load_id; session_dates, asked_ats, page_counts, row_counts, findings (arrays of equal length).
-- Rerun: refused by the primary key.
insert into risk.vendor_answers (
    load_id,
    session_date,
    asked_at,
    page_count,
    row_count,
    finding
)
select
    %(load_id)s,
    answered.session_date,
    answered.asked_at,
    answered.page_count,
    answered.row_count,
    answered.finding
from
    unnest(
        %(session_dates)s::date[],
        %(asked_ats)s::timestamptz[],
        %(page_counts)s::integer[],
        %(row_counts)s::bigint[],
        %(findings)s::text[]
    ) as answered (session_date, asked_at, page_count, row_count, finding)
order by answered.session_date;
