-- Stores the verdict on a policy.
-- Grain: one row. Writes: policy_verdicts. Binds: content_sha256, facts (JSON), dag_run_id.
insert into risk.policy_verdicts (content_sha256, facts, dag_run_id)
values (%(content_sha256)s, %(facts)s, %(dag_run_id)s);
