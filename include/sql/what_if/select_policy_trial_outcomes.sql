-- Reads the newest outcome of a trial.
-- Grain: at most one row. Reads: policy_trial_outcomes. Writes: -. Binds: trial_number.
-- Money: in the facts, US dollars, exact decimal texts. Rerun: reads only.
select
    policy_trial_outcomes.facts,
    policy_trial_outcomes.dag_run_id,
    policy_trial_outcomes.recorded_at
from risk.policy_trial_outcomes
where policy_trial_outcomes.trial_number = %(trial_number)s
order by policy_trial_outcomes.outcome_id desc
limit 1;
