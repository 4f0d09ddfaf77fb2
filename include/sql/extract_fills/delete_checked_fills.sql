-- Leaves executions that turned out to belong to a later session to a later load.
-- Grain: one row per record. Reads: -. Writes: checked_fills. Binds: through_session_date. Money: -.
-- Rerun: changes nothing.
delete from checked_fills
where checked_fills.session_date > %(through_session_date)s;
