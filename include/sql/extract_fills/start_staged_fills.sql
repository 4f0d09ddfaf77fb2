-- Says which file the next COPY brings; its first record stands on line 2.
-- Grain: -. Reads: -. Writes: -. Binds: file_number. Money: -. Rerun: starts the file again.
alter table staged_fills
alter column file_number set default %(file_number)s,
alter column line_number restart with 2;
