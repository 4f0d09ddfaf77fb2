-- Holds what the checks of a session observed; Great Expectations validates this table.
-- Grain: one row per check and subject. Binds: check_names, subjects, observeds, findings (arrays of equal length).
-- finding: the sentence about what is wrong; null = the subject passes.
create temporary table pg_temp.session_findings as
select
    listed.check_name,
    listed.subject,
    listed.observed,
    listed.finding
from unnest(
    %(check_names)s::text[],
    %(subjects)s::text[],
    %(observeds)s::text[],
    %(findings)s::text[]
) as listed (check_name, subject, observed, finding);
