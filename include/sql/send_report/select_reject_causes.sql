-- Counts the rejected rows of executions that concern the run, by cause: those its load found first, and those its
-- session lacks.
-- Grain: one row per cause. Reads: fill_rejects, current_rejects. Binds: load_id, session_date, as_of, shown_rows.
-- sentences: of the first shown_rows rows. Rejected rows of reference files are findings of the checks.
with rejected as (
    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.reason,
        fill_rejects.cause
    from risk.fill_rejects
    where
        fill_rejects.load_id = %(load_id)s
        and not fill_rejects.is_reference
    union
    select
        known.load_id,
        known.file_name,
        known.line_number,
        known.reason,
        known.cause
    from risk.current_rejects(%(session_date)s, %(as_of)s, %(load_id)s) as known
),

numbered as (
    select
        rejected.file_name,
        rejected.line_number,
        rejected.load_id,
        rejected.reason,
        rejected.cause,
        row_number() over (
            partition by rejected.cause
            order by rejected.file_name, rejected.line_number, rejected.load_id
        ) as place
    from rejected
)

select
    min(numbered.file_name) as file_name,
    count(*) as row_count,
    array_agg(numbered.reason order by numbered.place) filter (where numbered.place <= %(shown_rows)s) as sentences
from numbered
group by numbered.cause
order by
    row_count desc,
    file_name asc,
    numbered.cause asc;
