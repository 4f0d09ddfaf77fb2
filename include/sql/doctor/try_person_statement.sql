-- Tries to confirm a limit of the trading platform in a person's name; a negative limit is never stored.
-- Grain: one row. Writes: platform_limits. Binds: -. Rerun: the same; the caller rolls back.
insert into risk.platform_limits (account_id, limit_usd, user_id, user_name)
values ('doctor', -1, 'doctor', 'doctor');
