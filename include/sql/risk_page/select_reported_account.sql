-- Reads what the report of a session said about an account, and its receipt there.
-- Grain: at most one row. Reads: runs, reports. Binds: account_id, session_date.
-- Money: inside the objects, exact decimal strings; null where the report does not list the account.
-- A point-in-time run is a dry run: it counts only where the session has no other.
with newest as (
    select
        runs.as_of,
        reports.facts::jsonb as facts
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    where runs.session_date = %(session_date)s
    order by
        runs.is_point_in_time asc,
        runs.revision desc
    limit 1
)

select
    newest.as_of,
    jsonb_path_query_first(
        newest.facts,
        '$.accounts[*] ? (@.account_id == $name)',
        jsonb_build_object('name', %(account_id)s::text)
    ) as account,
    jsonb_path_query_first(
        newest.facts,
        '$.limit_use.receipts[*] ? (@.account_id == $name)',
        jsonb_build_object('name', %(account_id)s::text)
    ) as receipt
from newest;
