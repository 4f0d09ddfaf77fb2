-- Finds the executions of a session. Join current_deliveries on delivery_id and session_date to use it.
-- Grain: -. Reads: fills. Writes: -. Binds: -. Money: -. Rerun: applied once.
-- On the session alone, because loads come in the order of sessions: the index grows at its end only. One on the
-- delivery or the account doubles the time to load a million fills whose accounts alternate.
create index fills_session on fills (session_date);
