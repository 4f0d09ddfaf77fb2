-- Notes that a week's digest was mailed.
-- Grain: one row per week. Reads: -. Writes: digests. Binds: through_date, database_bytes. Money: -.
-- Rerun: changes nothing.
insert into digests (
    through_date,
    database_bytes
)
values (
    %(through_date)s,
    %(database_bytes)s
)
on conflict (through_date) do nothing;
