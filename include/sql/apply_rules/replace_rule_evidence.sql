-- Replaces a run's evidence for each rule.
-- Grain: one row per rule. Writes: rule_evidence. Binds: run_id, evidence (JSON array of objects by column name).
-- Rerun: the same rows.
delete from results.rule_evidence
where rule_evidence.run_id = %(run_id)s;

insert into results.rule_evidence (
    run_id,
    rule_name,
    firing_count,
    firing_loss_count,
    other_count,
    other_loss_count,
    difference_low_ratio,
    difference_high_ratio,
    verdict,
    sentence
)
select
    %(run_id)s,
    incoming.rule_name,
    incoming.firing_count,
    incoming.firing_loss_count,
    incoming.other_count,
    incoming.other_loss_count,
    incoming.difference_low_ratio,
    incoming.difference_high_ratio,
    incoming.verdict,
    incoming.sentence
from jsonb_populate_recordset(null::results.rule_evidence, %(evidence)s::jsonb) as incoming;
