-- Opens a load; its recorded_at is the database clock under the write lock.
-- Grain: one row. Reads: loads. Writes: loads. Binds: source, is_simulated, through_session_date, is_history. Money: -.
-- Rerun: opens one more load.
-- is_mixed: an earlier load came from a simulated desk and this one does not, or the other way round.
insert into risk.loads (
    source,
    is_simulated,
    through_session_date,
    is_history
)
values (
    %(source)s,
    %(is_simulated)s,
    %(through_session_date)s,
    %(is_history)s
)
returning
    load_id,
    recorded_at,
    exists (
        select
        from risk.loads as earlier
        where earlier.is_simulated <> loads.is_simulated
    ) as is_mixed;
