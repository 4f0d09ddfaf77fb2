-- Lists trials, newest first, each with when its outcome was computed last and the newest verdict on its policy.
-- Grain: one row per trial. Reads: policy_trials, policy_trial_outcomes, policy_verdicts. Writes: -.
-- Binds: trial_number (null = all). Money: -. Rerun: reads only.
with outcomes as (
    select
        policy_trial_outcomes.trial_number,
        max(policy_trial_outcomes.recorded_at) as computed_at
    from risk.policy_trial_outcomes
    group by policy_trial_outcomes.trial_number
),

verdicts as (
    select distinct on (policy_verdicts.content_sha256)
        policy_verdicts.content_sha256,
        policy_verdicts.facts,
        policy_verdicts.recorded_at
    from risk.policy_verdicts
    order by
        policy_verdicts.content_sha256 asc,
        policy_verdicts.verdict_id desc
)

select
    policy_trials.trial_number,
    policy_trials.content_sha256,
    policy_trials.first_session,
    policy_trials.last_session,
    policy_trials.author,
    policy_trials.recorded_at,
    outcomes.computed_at,
    verdicts.facts as verdict,
    verdicts.recorded_at as judged_at
from risk.policy_trials
left join outcomes on policy_trials.trial_number = outcomes.trial_number
left join verdicts on policy_trials.content_sha256 = verdicts.content_sha256
where %(trial_number)s::bigint is null or policy_trials.trial_number = %(trial_number)s
order by policy_trials.trial_number desc;
