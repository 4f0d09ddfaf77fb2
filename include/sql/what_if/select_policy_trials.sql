-- Reads the trials, in the order of sealing.
-- Grain: one row per trial. Reads: policy_trials. Writes: -. Binds: -. Money: -. Rerun: reads only.
-- variant_number counts policies: every range of one policy has the number and the seal of its first trial.
with variants as (
    select
        policy_trials.content_sha256,
        min(policy_trials.recorded_at) as sealed_at,
        rank() over (order by min(policy_trials.trial_number)) as variant_number
    from risk.policy_trials
    group by policy_trials.content_sha256
)

select
    policy_trials.trial_number,
    variants.variant_number,
    policy_trials.trial_sha256,
    policy_trials.policy_text,
    policy_trials.first_session,
    policy_trials.last_session,
    policy_trials.author,
    policy_trials.recorded_at,
    variants.sealed_at
from risk.policy_trials
inner join variants on policy_trials.content_sha256 = variants.content_sha256
order by policy_trials.trial_number;
