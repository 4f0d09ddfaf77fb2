-- Finds the limit in force for an account: the newest before a session.
-- Grain: -. Reads: published_limits. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index published_limits_session on published_limits (effective_session, account_id);
