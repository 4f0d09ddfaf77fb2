-- Reads results that the books tell otherwise than the newest report that told them.
-- Grain: one row per account and session, by account and session; a restatement that was told is not told again.
-- Reads: sessions, runs, reports, renamed_accounts, daily_pnl, deliveries, current_deliveries, applied_corrections,
-- fills. Writes: -.
-- Binds: session_date, as_of, within_sessions (sessions).
-- Money: US dollars, gains positive; null = no complete books, or no fills yet. Rerun: reads only.
-- A carried position without fills (delivery_id null) is no result where the fills had not come.
-- What was told of an account under a former name was told of the person; of merged accounts, in sum.
with asked as (
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
    cross join asked
    where
        sessions.session_number between asked.session_number - %(within_sessions)s and asked.session_number
        and reports.recorded_at <= %(as_of)s
        and not runs.is_point_in_time
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
        results.total_pnl_usd,
        'result' as kind
    from results
    union all
    select
        restated.told_in,
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
        every_telling.told_in,
        every_telling.revision,
        every_telling.as_of,
        every_telling.session_date,
        coalesce(renamed.account_id, every_telling.account_id) as account_id,
        case
            when count(every_telling.total_pnl_usd) = count(*) then sum(every_telling.total_pnl_usd)
        end as total_pnl_usd
    from every_telling
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            every_telling.account_id = renamed.former_account_id
            and every_telling.session_date >= renamed.starts_at
            and every_telling.session_date < renamed.ends_before
    group by
        every_telling.told_in,
        every_telling.revision,
        every_telling.as_of,
        every_telling.session_date,
        coalesce(renamed.account_id, every_telling.account_id),
        every_telling.kind
),

told as (
    select distinct on (named.account_id, named.session_date)
        named.account_id,
        named.session_date,
        named.as_of,
        named.total_pnl_usd
    from named
    order by
        named.account_id asc,
        named.session_date asc,
        named.told_in desc,
        named.revision desc
),

compared as (
    select
        told.account_id,
        told.session_date,
        told.as_of,
        told.total_pnl_usd as before_usd,
        daily_pnl.account_id is not null as is_booked,
        daily_pnl.incomplete_reason is not null as is_incomplete,
        case
            when told.total_pnl_usd is null and daily_pnl.input_fingerprint is null then null
            else daily_pnl.total_pnl_usd
        end as after_usd
    from told
    left join derived.daily_pnl
        on
            told.account_id = daily_pnl.account_id
            and told.session_date = daily_pnl.session_date
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
    from risk.applied_corrections(%(as_of)s) as settled
    inner join risk.current_deliveries(%(as_of)s) as current_ones
        on settled.delivery_id = current_ones.delivery_id
    inner join risk.deliveries as correcting
        on settled.correcting_delivery_id = correcting.delivery_id
    inner join restating
        on
            current_ones.account_id = restating.account_id
            and current_ones.session_date = restating.session_date
    where correcting.recorded_at > restating.as_of
),

traded_otherwise as (
    select
        renewed.account_id,
        renewed.session_date
    from renewed
    where
        exists (
            (
                select
                    fills.side,
                    fills.quantity,
                    fills.symbol,
                    fills.price
                from risk.fills
                where fills.delivery_id = renewed.delivery_id
                except all
                select
                    fills.side,
                    fills.quantity,
                    fills.symbol,
                    fills.price
                from risk.fills
                where fills.delivery_id = renewed.earlier_delivery_id
            )
            union all
            (
                select
                    fills.side,
                    fills.quantity,
                    fills.symbol,
                    fills.price
                from risk.fills
                where fills.delivery_id = renewed.earlier_delivery_id
                except all
                select
                    fills.side,
                    fills.quantity,
                    fills.symbol,
                    fills.price
                from risk.fills
                where fills.delivery_id = renewed.delivery_id
            )
        )
)

select
    restating.account_id,
    restating.session_date,
    restating.before_usd,
    restating.after_usd,
    case
        when not restating.is_booked then 'its newest delivery has no fills'
        when restating.is_incomplete then 'the books are incomplete now'
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
                traded_otherwise.account_id,
                traded_otherwise.session_date
            from traded_otherwise
        ) then 'other fills delivered'
        when (restating.account_id, restating.session_date) in (
            select
                renewed.account_id,
                renewed.session_date
            from renewed
        ) then 'fees restated'
        when restating.before_usd is null then 'what its books lacked then is known now'
        else 'a price, rate, multiplier, split or earlier session changed'
    end as reason
from restating
order by
    restating.account_id asc,
    restating.session_date asc;
