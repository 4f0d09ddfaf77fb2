-- Reads what the newest report says about an account.
-- Grain: at most one row. Reads: runs, reports. Binds: account_id.
-- Money: inside facts, exact decimal strings; account is null where the report does not list it.
with newest as (
    select
        runs.session_date,
        runs.effective_session,
        reports.facts::jsonb as facts
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where not runs.is_point_in_time
    order by
        runs.session_date desc,
        runs.revision desc
    limit 1
)

select
    newest.session_date,
    newest.effective_session,
    (newest.facts ->> 'previous_session_date')::date as previous_session_date,
    jsonb_path_query_first(
        newest.facts,
        '$.accounts[*] ? (@.account_id == $name)',
        jsonb_build_object('name', %(account_id)s::text)
    ) as account
from newest;
