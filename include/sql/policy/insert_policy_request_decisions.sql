-- Stores the decision about a request; the caller has checked that it is pending.
-- Grain: one row. Writes: policy_request_decisions. Binds: request_id, action, seen_sha256, user_id, user_name.
insert into risk.policy_request_decisions (request_id, action, seen_sha256, user_id, user_name)
values (%(request_id)s, %(action)s, %(seen_sha256)s, %(user_id)s, %(user_name)s);
