-- Stores that a digest was mailed, with the size of the database.
-- Grain: one row per last session of a digest.
-- Writes: digests.
-- Rerun: changes nothing.
insert into risk.digests (
    through_date,
    database_bytes
)
values (
    %(through_date)s,
    pg_database_size(current_database())
)
on conflict (through_date) do nothing;
