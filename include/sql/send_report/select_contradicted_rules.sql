-- Reads the evidence for the rules that the desk's own history contradicts, as a run found it.
-- Grain: one row per rule, by name. Reads: rule_evidence. Binds: run_id.
select rule_evidence.sentence
from results.rule_evidence
where
    rule_evidence.run_id = %(run_id)s
    and rule_evidence.verdict = 'contradicts'
order by rule_evidence.rule_name asc;
