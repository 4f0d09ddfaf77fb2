-- Reads which files of the run's load were quarantined whole, and why.
-- Grain: one row per quarantined file, by name. Reads: source_files. Writes: -. Binds: load_id. Money: -.
-- Rerun: reads only.
select
    source_files.file_name,
    source_files.reason
from risk.source_files
where
    source_files.load_id = %(load_id)s
    and source_files.state = 'quarantined'
order by source_files.file_name asc;
