-- Tries to record a decision that no person made; no publication has this key.
-- Grain: one row. Writes: limit_decisions. Binds: -. Rerun: the same; the caller rolls back.
insert into risk.limit_decisions (publication_id, account_id, action, limit_usd, reason, user_id, user_name)
values (0, 'doctor', 'timed_out', 1, '', '', 'doctor');
