-- Reads whether a later revision of a run's session has a report.
-- Grain: one row.
select risk.has_later_report(%(run_id)s) as is_superseded;
