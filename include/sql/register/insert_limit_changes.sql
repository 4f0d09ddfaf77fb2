-- Stores a change that a person asks for; the caller has checked it.
-- Grain: one row. Writes: limit_changes.
-- Binds: account_id, kind, limit_usd, starts_at, ends_at, reason, requested_by, requester_name, needs_second_person,
-- replaces. Money: US dollars.
insert into risk.limit_changes (
    account_id,
    kind,
    limit_usd,
    starts_at,
    ends_at,
    reason,
    requested_by,
    requester_name,
    needs_second_person,
    replaces
)
values (
    %(account_id)s,
    %(kind)s,
    %(limit_usd)s,
    %(starts_at)s,
    %(ends_at)s,
    %(reason)s,
    %(requested_by)s,
    %(requester_name)s,
    %(needs_second_person)s,
    %(replaces)s
)
returning limit_changes.change_id;
