-- Bounds how long the rest of a transaction waits for a lock.
-- Grain: one row. Reads: -. Writes: -. Binds: timeout. Money: -. Rerun: sets the same.
select set_config('lock_timeout', %(timeout)s, true) as lock_timeout;
