-- Reads which files of the run's load had rejected rows, how many, and the first of them.
-- Grain: one row per file with rejects, by name. Reads: fill_rejects. Writes: -. Binds: load_id. Money: -.
-- Rerun: reads only.
select
    fill_rejects.file_name,
    count(*) as rejected_count,
    min(fill_rejects.line_number) as first_line_number,
    (array_agg(fill_rejects.reason order by fill_rejects.line_number))[1] as first_reason
from fill_rejects
where fill_rejects.load_id = %(load_id)s
group by fill_rejects.file_name
order by fill_rejects.file_name asc;
