-- Stores what a trial changes on past mornings.
-- Grain: one row. Writes: policy_trial_outcomes. Binds: trial_number, facts (JSON), dag_run_id.
insert into risk.policy_trial_outcomes (trial_number, facts, dag_run_id)
values (%(trial_number)s, %(facts)s, %(dag_run_id)s);
