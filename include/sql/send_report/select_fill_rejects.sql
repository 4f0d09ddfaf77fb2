-- Reads which files of executions have rejected rows that the run's session lacks or that its load met first.
-- Grain: one row per file with rejects, by name. Reads: fill_rejects, current_rejects. Writes: -.
-- Binds: load_id, session_date, as_of. Money: -. Rerun: reads only.
-- Rows of statement files are told by their verdicts.
with told as (
    select
        fill_rejects.load_id,
        fill_rejects.file_name,
        fill_rejects.line_number,
        fill_rejects.reason
    from risk.fill_rejects
    where
        fill_rejects.load_id = %(load_id)s
        and fill_rejects.file_name like 'fills%%'
    union
    select
        known.load_id,
        known.file_name,
        known.line_number,
        known.reason
    from risk.current_rejects(%(session_date)s, %(as_of)s, %(load_id)s) as known
)

select
    told.file_name,
    count(*) as rejected_count,
    (array_agg(told.reason order by told.line_number, told.load_id))[1] as first_reason
from told
group by told.file_name
order by told.file_name asc;
