-- Stores a request to adopt a policy, which is pending until somebody decides.
-- Grain: one row. Writes: policy_requests. Binds: policy_text, content_sha256, valid_from, reason, requested_by,
-- requester_name.
insert into risk.policy_requests (policy_text, content_sha256, valid_from, reason, requested_by, requester_name)
values (%(policy_text)s, %(content_sha256)s, %(valid_from)s, %(reason)s, %(requested_by)s, %(requester_name)s)
returning policy_requests.request_id;
