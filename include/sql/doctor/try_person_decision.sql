-- Tries to record a decision about a limit in a person's name; no publication has this key.
-- Grain: one row. Writes: limit_decisions. Binds: -. Rerun: the same; the caller rolls back.
insert into risk.limit_decisions (
    publication_id, account_id, action, limit_usd, reason, user_id, user_name, seen_sha256
)
values (0, 'doctor', 'rejected', 1, '', 'doctor', 'doctor', repeat('0', 64));
