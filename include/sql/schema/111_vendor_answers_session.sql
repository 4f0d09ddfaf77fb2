-- Finds the last answer for a session.
-- Grain: -. Reads: -. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index vendor_answers_session on vendor_answers (session_date, asked_at);
