-- Opens the publication of a run's limits; a run that has one keeps it, with its first policy and deadline.
-- Grain: one row if it was opened now, else none. Reads: runs. Writes: publications.
-- Binds: run_id, approval_scope, has_dual_control, decision_deadline, is_live, dag_run_id, stand_in_names,
-- stand_in_from. Rerun: changes nothing.
insert into risk.publications (
    run_id,
    effective_session,
    approval_scope,
    has_dual_control,
    decision_deadline,
    is_live,
    dag_run_id,
    stand_in_names,
    stand_in_from
)
select
    runs.run_id,
    runs.effective_session,
    %(approval_scope)s,
    %(has_dual_control)s,
    %(decision_deadline)s,
    %(is_live)s,
    %(dag_run_id)s,
    %(stand_in_names)s,
    %(stand_in_from)s
from risk.runs
where runs.run_id = %(run_id)s
on conflict (run_id) do nothing
returning publications.publication_id;
