-- Lists the files that contradict each other.
-- Grain: one row per file. Reads: staged_files. Rerun: reads only.
select
    staged_files.file_name,
    staged_files.quarantine_reason
from staged_files
where staged_files.quarantine_reason is not null
order by staged_files.file_name;
