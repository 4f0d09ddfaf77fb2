-- Says which file the next COPY brings; its first record stands on line 2.
-- Grain: one row. Reads: -. Writes: -. Binds: file_number. Money: -. Rerun: starts the file again.
select
    set_config('risk.file_number', %(file_number)s::text, true) as file_number,
    setval(pg_get_serial_sequence('pg_temp.staged_fills', 'line_number'), 2, false) as first_line_number;
