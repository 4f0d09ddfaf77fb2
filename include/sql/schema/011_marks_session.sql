-- Finds the marks of a session and symbol.
-- Grain: -. Reads: marks. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index marks_session on marks (session_date, symbol, mark_id);
