-- Lets one process at a time decide on a run's alerts: Airflow may report the same failure twice at the same moment.
-- Grain: one row.
-- Rerun: the lock ends with the transaction.
select pg_advisory_xact_lock(hashtextextended(%(key)s, 0)) as is_locked;
