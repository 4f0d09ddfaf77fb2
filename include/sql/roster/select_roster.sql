-- Reads every account with its trading days, its latest one and its status in the run.
-- Grain: one row per account that has traded or is in the roster, by name.
-- Reads: daily_pnl, recommendations, current_accounts. Writes: -.
-- Binds: run_id, session_date, effective_session, as_of, legacy_suffix.
-- Money: base_limit_usd, US dollars; null = the default of the settings. Rerun: reads only.
-- status: the recommendation's; without one the account is disabled, legacy (by its literal suffix), has not traded yet
-- (latest_session_date null) or is inactive.
with traded as (
    select
        daily_pnl.account_id,
        count(*) as trading_day_count,
        min(daily_pnl.session_date) as first_session_date,
        max(daily_pnl.session_date) as latest_session_date
    from derived.daily_pnl
    where
        daily_pnl.fill_count > 0
        and daily_pnl.session_date <= %(session_date)s
    group by daily_pnl.account_id
),

stated as (
    select
        known.account_id,
        known.display_name,
        known.first_traded,
        known.base_limit_usd,
        known.is_disabled
    from risk.current_accounts(%(effective_session)s, %(as_of)s) as known
),

named as (
    select
        traded.trading_day_count,
        traded.first_session_date,
        traded.latest_session_date,
        stated.display_name,
        stated.first_traded,
        stated.base_limit_usd,
        stated.is_disabled,
        coalesce(traded.account_id, stated.account_id) as account_id
    from traded
    full outer join stated on traded.account_id = stated.account_id
),

recommended as (
    select
        recommendations.account_id,
        recommendations.status
    from results.recommendations
    where recommendations.run_id = %(run_id)s
)

select
    named.account_id,
    named.display_name,
    coalesce(named.trading_day_count, 0) as trading_day_count,
    least(named.first_session_date, named.first_traded) as first_session_date,
    named.latest_session_date,
    named.base_limit_usd,
    case
        when recommended.status is not null then recommended.status
        when named.is_disabled then 'disabled'
        when right(named.account_id, length(%(legacy_suffix)s)) = %(legacy_suffix)s then 'legacy'
        when named.latest_session_date is null then 'not traded yet'
        else 'inactive'
    end as status
from named
left join recommended on named.account_id = recommended.account_id
order by named.account_id asc;
