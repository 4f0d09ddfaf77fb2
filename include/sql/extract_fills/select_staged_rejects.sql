-- Reads which lines of a file are rejected and why.
-- Grain: one row per line. Reads: staged_rejects. Writes: -. Binds: file_number. Money: -. Rerun: reads only.
select
    staged_rejects.line_number,
    staged_rejects.codes
from staged_rejects
where staged_rejects.file_number = %(file_number)s
order by staged_rejects.line_number;
