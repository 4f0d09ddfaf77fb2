-- Finds the executions of a session. Join current_deliveries on delivery_id and session_date to use it.
-- Grain: -. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
-- Loads come in the order of sessions, so a summary of page ranges finds a session as well as a tree does, and costs a
-- load of a million fills nothing where a tree costs a third more.
create index fills_session on fills using brin (session_date) with (pages_per_range = 16, autosummarize = on);
