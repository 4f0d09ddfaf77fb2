-- Lets one process at a time decide about an alarm: Airflow may report the same failure twice in the same moment.
-- Grain: one row. Reads: -. Writes: -. Binds: key. Money: -. Rerun: the lock ends with the transaction.
select pg_advisory_xact_lock(hashtextextended(%(key)s, 0)) as is_locked;
