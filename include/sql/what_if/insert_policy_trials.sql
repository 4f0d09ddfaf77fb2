-- Seals a trial, unless the same policy and range were sealed before.
-- Grain: at most one row. Reads, writes: policy_trials. Binds: trial_sha256, policy_text, content_sha256,
-- first_session, last_session, author. Money: -. Rerun: stores nothing more; the caller holds the write lock.
insert into risk.policy_trials (
    trial_number,
    trial_sha256,
    policy_text,
    content_sha256,
    first_session,
    last_session,
    author
)
select
    coalesce(max(earlier.trial_number), 0) + 1,
    %(trial_sha256)s,
    %(policy_text)s,
    %(content_sha256)s,
    %(first_session)s,
    %(last_session)s,
    %(author)s
from risk.policy_trials as earlier
on conflict (trial_sha256) do nothing;
