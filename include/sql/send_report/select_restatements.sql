-- Reads results that the books tell otherwise than the newest report that told them.
-- Grain: one row per account and session, by account and session; a restatement that was told is not told again.
-- Reads: sessions, runs, reports, daily_pnl, deliveries. Writes: -.
-- Binds: session_date, as_of, told_within (sessions).
-- Money: US dollars, gains positive; null = no complete books, or no fills yet. Rerun: reads only.
-- A carried position without fills (delivery_id null) is no result where the fills had not come.
with asked as (
    select sessions.session_number
    from sessions
    where sessions.session_date = %(session_date)s
),

reported as (
    select
        runs.session_date,
        runs.revision,
        runs.as_of,
        reports.facts::jsonb as facts
    from runs
    inner join reports on runs.run_id = reports.run_id
    inner join sessions on runs.session_date = sessions.session_date
    cross join asked
    where
        sessions.session_number between asked.session_number - %(told_within)s and asked.session_number
        and reports.recorded_at <= %(as_of)s
        and not runs.knows_past
),

results as (
    select
        reported.session_date as told_in,
        reported.revision,
        reported.as_of,
        reported.session_date,
        account ->> 'account_id' as account_id,
        (account ->> 'total_pnl_usd')::numeric as total_pnl_usd
    from reported
    cross join jsonb_array_elements(reported.facts -> 'accounts') as account
),

restated as (
    select
        reported.session_date as told_in,
        reported.revision,
        reported.as_of,
        (restatement ->> 'session_date')::date as session_date,
        restatement ->> 'account_id' as account_id,
        (restatement ->> 'after_usd')::numeric as total_pnl_usd
    from reported
    cross join jsonb_array_elements(reported.facts -> 'restatements') as restatement
),

every_telling as (
    select
        results.told_in,
        results.revision,
        results.as_of,
        results.session_date,
        results.account_id,
        results.total_pnl_usd
    from results
    union all
    select
        restated.told_in,
        restated.revision,
        restated.as_of,
        restated.session_date,
        restated.account_id,
        restated.total_pnl_usd
    from restated
),

told as (
    select distinct on (every_telling.account_id, every_telling.session_date)
        every_telling.account_id,
        every_telling.session_date,
        every_telling.as_of,
        every_telling.total_pnl_usd
    from every_telling
    order by
        every_telling.account_id asc,
        every_telling.session_date asc,
        every_telling.told_in desc,
        every_telling.revision desc
),

compared as (
    select
        told.account_id,
        told.session_date,
        told.total_pnl_usd as before_usd,
        case
            when told.total_pnl_usd is null and daily_pnl.delivery_id is null then null
            else daily_pnl.total_pnl_usd
        end as after_usd,
        case
            when daily_pnl.account_id is null then 'its newest delivery has no fills'
            when daily_pnl.incomplete_reason is not null then 'the books are incomplete now'
            when told.total_pnl_usd is null then 'not known to that report'
            when deliveries.recorded_at > told.as_of then 'fills or fees delivered again'
            else 'a closing price or an earlier session changed'
        end as reason
    from told
    left join daily_pnl
        on
            told.account_id = daily_pnl.account_id
            and told.session_date = daily_pnl.session_date
    left join deliveries on daily_pnl.delivery_id = deliveries.delivery_id
)

select
    compared.account_id,
    compared.session_date,
    compared.before_usd,
    compared.after_usd,
    compared.reason
from compared
where round(compared.before_usd, 2) is distinct from round(compared.after_usd, 2)
order by
    compared.account_id asc,
    compared.session_date asc;
