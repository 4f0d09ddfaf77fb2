-- Finds the deliveries of an account-session, newest first.
-- Grain: -. Reads: deliveries. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index deliveries_account_session on deliveries (account_id, session_date, recorded_at);
