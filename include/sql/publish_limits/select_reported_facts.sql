-- Reads the facts that the run of a publication reported: what is proposed, decided about and published.
-- Grain: at most one row. Reads: publications, reports. Binds: publication_id.
select
    reports.facts,
    reports.facts_sha256
from risk.publications
inner join risk.reports on publications.run_id = reports.run_id
where publications.publication_id = %(publication_id)s;
