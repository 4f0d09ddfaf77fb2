-- Lists the files of this load with rejected records.
-- Grain: one row per file. Reads: staged_rejects. Writes: -. Binds: -. Money: -. Rerun: reads only.
select distinct staged_rejects.file_number
from staged_rejects
order by staged_rejects.file_number;
