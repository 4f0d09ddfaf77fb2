-- Tries to choose when a load was recorded; a load without a source is never stored.
-- Grain: one row. Writes: loads. Binds: -. Rerun: the same; the caller rolls back.
insert into risk.loads (source, is_simulated, through_session_date, recorded_at)
values (null, false, '2000-01-03', '2000-01-03');
