-- Reads adopted policies, newest version first: the first row is the one that applies.
-- Grain: one row per version that is valid from an effective session or earlier and was recorded by an instant.
-- Reads: policies. Binds: effective_session (infinity = any), as_of (infinity = now). Version 0 is known at all times.
select
    policies.version,
    policies.policy_text,
    policies.valid_from,
    policies.author,
    policies.reason,
    policies.approver,
    policies.recorded_at
from risk.policies
where
    policies.version = 0
    or (policies.valid_from <= %(effective_session)s and policies.recorded_at <= %(as_of)s)
order by policies.version desc;
