-- Reads the P&L that differs from the latest report of it, and that of account-sessions delivered again since they were
-- booked, whether or not a report had named them.
-- Grain: one row per account and session, by account and session; a restatement is reported once.
-- Reads: sessions, runs, reports, renamed_accounts, daily_pnl, superseded_results, deliveries, current_deliveries,
-- applied_corrections, fills. Binds: within_sessions.
-- Money: US dollars, gains positive; null = no complete books, or no fills yet. A carried position without fills has no
-- P&L if the fills had not been received. P&L under a former name counts for the new one; merged accounts are summed.
with this_session as (
    select sessions.session_number
    from risk.sessions
    where sessions.session_date = %(session_date)s
),

reported as (
    select
        runs.session_date,
        runs.revision,
        runs.as_of,
        reports.facts::jsonb as facts
    from risk.runs
    inner join risk.reports on runs.run_id = reports.run_id
    inner join risk.sessions on runs.session_date = sessions.session_date
    cross join this_session
    where
        sessions.session_number between this_session.session_number - %(within_sessions)s
        and this_session.session_number
        and reports.recorded_at <= %(as_of)s
        and not runs.is_point_in_time
),

reported_pnl as (
    select
        reported.session_date as reported_in,
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
        reported.session_date as reported_in,
        reported.revision,
        reported.as_of,
        (restatement ->> 'session_date')::date as session_date,
        restatement ->> 'account_id' as account_id,
        (restatement ->> 'after_usd')::numeric as total_pnl_usd
    from reported
    cross join jsonb_array_elements(reported.facts -> 'restatements') as restatement
),

every_report as (
    select
        reported_pnl.reported_in,
        reported_pnl.revision,
        reported_pnl.as_of,
        reported_pnl.session_date,
        reported_pnl.account_id,
        reported_pnl.total_pnl_usd,
        'result' as kind
    from reported_pnl
    union all
    select
        restated.reported_in,
        restated.revision,
        restated.as_of,
        restated.session_date,
        restated.account_id,
        restated.total_pnl_usd,
        'restatement' as kind
    from restated
),

named as (
    select
        every_report.reported_in,
        every_report.revision,
        every_report.as_of,
        every_report.session_date,
        coalesce(renamed.account_id, every_report.account_id) as account_id,
        case
            when count(every_report.total_pnl_usd) = count(*) then sum(every_report.total_pnl_usd)
        end as total_pnl_usd
    from every_report
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            every_report.account_id = renamed.former_account_id
            and every_report.session_date >= renamed.starts_at
            and every_report.session_date < renamed.ends_before
    group by
        every_report.reported_in,
        every_report.revision,
        every_report.as_of,
        every_report.session_date,
        coalesce(renamed.account_id, every_report.account_id),
        every_report.kind
),

latest as (
    select distinct on (named.account_id, named.session_date)
        named.account_id,
        named.session_date,
        named.as_of,
        named.total_pnl_usd
    from named
    order by
        named.account_id asc,
        named.session_date asc,
        named.reported_in desc,
        named.revision desc
),

compared as (
    select
        latest.account_id,
        latest.session_date,
        latest.as_of,
        latest.total_pnl_usd as before_usd,
        daily_pnl.account_id is not null as is_booked,
        daily_pnl.incomplete_reason is not null as is_incomplete,
        case
            when latest.total_pnl_usd is null and daily_pnl.input_fingerprint is null then null
            else daily_pnl.total_pnl_usd
        end as after_usd
    from latest
    left join derived.daily_pnl
        on
            latest.account_id = daily_pnl.account_id
            and latest.session_date = daily_pnl.session_date
),

superseded as (
    select distinct on (superseded_results.account_id, superseded_results.session_date)
        superseded_results.account_id,
        superseded_results.session_date,
        superseded_results.total_pnl_usd as before_usd,
        (
            select max(runs.as_of)
            from risk.runs
            where
                runs.as_of < superseded_results.as_of
                and not runs.is_point_in_time
        ) as as_of
    from risk.superseded_results
    where
        superseded_results.as_of <= %(as_of)s
        and superseded_results.session_date <= %(session_date)s
        and not exists (
            select
            from risk.runs
            inner join risk.reports on runs.run_id = reports.run_id
            where
                runs.as_of >= superseded_results.as_of
                and runs.as_of < %(as_of)s
                and runs.session_date >= superseded_results.session_date
                and reports.recorded_at <= %(as_of)s
                and not runs.is_point_in_time
        )
        and not exists (
            select
            from risk.renamed_accounts(%(as_of)s) as renamed
            where
                superseded_results.account_id = renamed.former_account_id
                and superseded_results.session_date >= renamed.starts_at
                and superseded_results.session_date < renamed.ends_before
        )
    order by
        superseded_results.account_id asc,
        superseded_results.session_date asc,
        superseded_results.result_id asc
),

restating as (
    select
        compared.account_id,
        compared.session_date,
        compared.as_of,
        compared.before_usd,
        compared.after_usd,
        compared.is_booked,
        compared.is_incomplete
    from compared
    where round(compared.before_usd, 2) is distinct from round(compared.after_usd, 2)
    union all
    select
        superseded.account_id,
        superseded.session_date,
        superseded.as_of,
        superseded.before_usd,
        daily_pnl.total_pnl_usd as after_usd,
        daily_pnl.account_id is not null as is_booked,
        daily_pnl.incomplete_reason is not null as is_incomplete
    from superseded
    left join derived.daily_pnl
        on
            superseded.account_id = daily_pnl.account_id
            and superseded.session_date = daily_pnl.session_date
    where not exists (
        select
        from compared
        where
            compared.account_id = superseded.account_id
            and compared.session_date = superseded.session_date
            and round(compared.before_usd, 2) is distinct from round(compared.after_usd, 2)
    )
),

renewed as (
    select
        restating.account_id,
        restating.session_date,
        newer.delivery_id,
        (
            select earlier.delivery_id
            from risk.deliveries as earlier
            where
                earlier.account_id = newer.account_id
                and earlier.session_date = newer.session_date
                and earlier.recorded_at <= restating.as_of
                and earlier.loaded_count > 0
            order by
                coalesce(earlier.published_at, earlier.recorded_at) desc,
                earlier.delivery_id desc
            limit 1
        ) as earlier_delivery_id
    from restating
    inner join risk.current_deliveries(%(as_of)s) as current_ones
        on
            restating.account_id = current_ones.account_id
            and restating.session_date = current_ones.session_date
    inner join risk.deliveries as newer
        on current_ones.delivery_id = newer.delivery_id
    where
        newer.recorded_at > restating.as_of
        and newer.loaded_count > 0
),

corrected as (
    select
        restating.account_id,
        restating.session_date
    from risk.applied_corrections(%(as_of)s) as correction
    inner join risk.current_deliveries(%(as_of)s) as current_ones
        on correction.delivery_id = current_ones.delivery_id
    inner join risk.deliveries as correcting
        on correction.correcting_delivery_id = correcting.delivery_id
    inner join restating
        on
            current_ones.account_id = restating.account_id
            and current_ones.session_date = restating.session_date
    where correcting.recorded_at > restating.as_of
),

with_other_fills as (
    select
        renewed.account_id,
        renewed.session_date
    from renewed
    where
        exists (
            select
            from risk.fills
            where fills.delivery_id in (renewed.delivery_id, renewed.earlier_delivery_id)
            group by fills.side, fills.quantity, fills.symbol, fills.price
            having
                count(*) filter (where fills.delivery_id = renewed.delivery_id)
                <> count(*) filter (where fills.delivery_id = renewed.earlier_delivery_id)
        )
)

select
    restating.account_id,
    restating.session_date,
    restating.before_usd,
    restating.after_usd,
    case
        when not restating.is_booked then 'latest delivery has no fills'
        when restating.is_incomplete then 'books are incomplete now'
        when restating.before_usd = restating.after_usd then 'delivered again, with the same result'
        when (restating.account_id, restating.session_date) in (
            select
                renewed.account_id,
                renewed.session_date
            from renewed
            where renewed.earlier_delivery_id is null
        ) then 'delivered late'
        when (restating.account_id, restating.session_date) in (
            select
                corrected.account_id,
                corrected.session_date
            from corrected
        ) then 'corrected by the source'
        when (restating.account_id, restating.session_date) in (
            select
                with_other_fills.account_id,
                with_other_fills.session_date
            from with_other_fills
        ) then 'other fills delivered'
        when (restating.account_id, restating.session_date) in (
            select
                renewed.account_id,
                renewed.session_date
            from renewed
        ) then 'fees restated'
        when restating.before_usd is null then 'books were incomplete and are complete now'
        else 'closing mark, rate, multiplier, split or earlier session changed'
    end as reason
from restating
order by
    restating.account_id asc,
    restating.session_date asc;
