-- Stores the decision about a change; the caller has checked that it is pending.
-- Grain: one row. Writes: limit_change_decisions. Binds: change_id, action, seen_sha256, user_id, user_name.
insert into risk.limit_change_decisions (change_id, action, seen_sha256, user_id, user_name)
values (%(change_id)s, %(action)s, %(seen_sha256)s, %(user_id)s, %(user_name)s);
