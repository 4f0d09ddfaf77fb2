-- Tries to request a limit change in the name of a person logged in; a negative limit is never stored.
-- Grain: one row. Writes: limit_changes. Binds: -. Rerun: the same; the caller rolls back.
insert into risk.limit_changes (
    account_id, kind, limit_usd, starts_at, reason, requested_by, requester_name, needs_second_person
)
values ('doctor', 'base', -1, clock_timestamp(), 'doctor', 'doctor', 'doctor', false);
