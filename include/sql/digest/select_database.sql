-- Measures the database, its size at the previous digest, and vacuum.
-- Grain: one row. Reads: digests, audit_log, Postgres's statistics.
select
    pg_database_size(current_database()) as database_bytes,
    (
        select digests.database_bytes
        from risk.digests
        where digests.through_date < %(through_date)s
        order by digests.through_date desc
        limit 1
    ) as earlier_bytes,
    (
        select coalesce(sum(statistics.n_dead_tup), 0)::bigint
        from pg_stat_user_tables as statistics
    ) as dead_row_count,
    (
        select coalesce(sum(statistics.n_live_tup), 0)::bigint
        from pg_stat_user_tables as statistics
    ) as live_row_count,
    (
        select max(coalesce(statistics.last_vacuum, statistics.last_autovacuum))
        from pg_stat_user_tables as statistics
    ) as vacuumed_at,
    (
        select count(*)
        from risk.audit_log
        where
            audit_log.event = 'failure'
            and audit_log.session_date >= %(from_date)s
            and audit_log.session_date <= %(through_date)s
    ) as failure_count;
