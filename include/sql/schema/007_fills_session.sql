-- Finds the executions of a session.
-- Grain: -. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index fills_session on fills (session_date, account_id);
