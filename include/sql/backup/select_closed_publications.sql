-- Reads for which sessions a restore has closed approvals: those that were open when the backup was made.
-- Grain: one row per effective session. Reads: publications, published_limits. Binds: -.
-- Of dry runs and of reports that a later one has superseded nobody waits for an answer.
select publications.effective_session
from risk.publications
inner join risk.runs on publications.run_id = runs.run_id
left join risk.published_limits on publications.publication_id = published_limits.publication_id
where
    publications.is_live
    and published_limits.publication_id is null
    and not risk.has_later_report(publications.run_id)
group by publications.effective_session
order by publications.effective_session;
