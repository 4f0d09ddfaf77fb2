-- Reads what the decision needs of every account that gets a limit.
-- Grain: one row per account that traded within the last sessions, is no legacy account and not disabled, by name.
-- Reads: sessions, daily_pnl, delivery_states, current_accounts, forecasts, renamed_forecasts, recommendations, runs,
-- reports.
-- Binds: session_date, effective_session, as_of, active_within (sessions), legacy_suffix (literal end of the name),
-- expert (model, or calibrated where no model forecasts), return_after (sessions).
-- Counted and compared are active sessions: with fills and complete books. After return_after sessions without one an
-- account is counted anew, from the session of its return on (`Panel.active_counts`). The books of a renamed account
-- are under its present name, and its forecasts count under it as in predict_limits/select_forecasts.
-- Money: US dollars, exact; losses positive, quantiles negative.
with run_session as (
    select
        sessions.session_date,
        sessions.session_number,
        sessions.session_number - %(active_within)s as last_inactive_number
    from risk.sessions
    where sessions.session_date = %(session_date)s
),

books as (
    select
        daily_pnl.account_id,
        max(daily_pnl.session_date) as newest_session_date,
        max(daily_pnl.session_date) filter (where daily_pnl.fill_count > 0) as latest_session_date
    from derived.daily_pnl
    where
        daily_pnl.session_date <= %(session_date)s
        and right(daily_pnl.account_id, length(%(legacy_suffix)s)) <> %(legacy_suffix)s
    group by daily_pnl.account_id
),

active_sessions as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        sessions.session_number - lag(sessions.session_number) over (
            partition by daily_pnl.account_id
            order by sessions.session_number asc
        ) > %(return_after)s as is_return
    from derived.daily_pnl
    inner join risk.sessions on daily_pnl.session_date = sessions.session_date
    where
        daily_pnl.session_date <= %(session_date)s
        and daily_pnl.fill_count > 0
        and daily_pnl.total_pnl_usd is not null
),

returns as (
    select
        active_sessions.account_id,
        max(active_sessions.session_date) as returned_on
    from active_sessions
    where active_sessions.is_return
    group by active_sessions.account_id
),

counted_sessions as (
    select
        active_sessions.account_id,
        active_sessions.session_date
    from active_sessions
    left join returns on active_sessions.account_id = returns.account_id
    where returns.returned_on is null or active_sessions.session_date >= returns.returned_on
),

session_counts as (
    select
        counted_sessions.account_id,
        count(*) as active_session_count
    from counted_sessions
    group by counted_sessions.account_id
),

active_accounts as (
    select
        books.account_id,
        books.newest_session_date,
        books.latest_session_date,
        run_session.session_number - sessions.session_number as sessions_absent
    from books
    inner join risk.sessions on books.latest_session_date = sessions.session_date
    cross join run_session
    where sessions.session_number > run_session.last_inactive_number
),

deliveries_of_session as (
    select
        states.account_id,
        case
            when states.state = 'delivered' and states.loaded_count = 0 then 'rejected'
            else states.state
        end as delivery_state
    from risk.delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as states
),

account_terms as (
    select
        known.account_id,
        known.is_disabled
    from risk.current_accounts(%(effective_session)s, %(as_of)s) as known
),

issued_forecasts as (
    select distinct on (forecasts.effective_session, coalesce(renamed.account_id, forecasts.account_id))
        coalesce(renamed.account_id, forecasts.account_id) as account_id,
        forecasts.effective_session,
        forecasts.quantile_05_usd
    from derived.forecasts
    left join risk.renamed_forecasts(%(as_of)s) as renamed
        on
            forecasts.account_id = renamed.former_account_id
            and forecasts.effective_session > renamed.starts_after
            and forecasts.effective_session <= renamed.ends_on
    where
        forecasts.expert = %(expert)s
        and forecasts.effective_session <= %(effective_session)s
    order by
        forecasts.effective_session asc,
        coalesce(renamed.account_id, forecasts.account_id) asc,
        forecasts.is_live desc,
        renamed.account_id asc nulls first,
        forecasts.account_id asc
),

next_forecasts as (
    select
        issued_forecasts.account_id,
        issued_forecasts.quantile_05_usd
    from issued_forecasts
    where issued_forecasts.effective_session = %(effective_session)s
),

past_forecasts as (
    select
        issued_forecasts.account_id,
        array_agg(-issued_forecasts.quantile_05_usd order by issued_forecasts.effective_session asc)
            as issued_losses_usd
    from issued_forecasts
    inner join counted_sessions
        on
            issued_forecasts.account_id = counted_sessions.account_id
            and issued_forecasts.effective_session = counted_sessions.session_date
    group by issued_forecasts.account_id
),

last_recommendations as (
    select distinct on (coalesce(renamed.account_id, recommendations.account_id))
        coalesce(renamed.account_id, recommendations.account_id) as account_id,
        recommendations.cut_ratio,
        recommendations.level,
        runs.session_date
    from results.recommendations
    inner join risk.runs on recommendations.run_id = runs.run_id
    inner join risk.reports on runs.run_id = reports.run_id
    inner join risk.sessions on runs.session_date = sessions.session_date
    cross join run_session
    left join risk.renamed_accounts(%(as_of)s) as renamed
        on
            recommendations.account_id = renamed.former_account_id
            and runs.session_date >= renamed.starts_at
            and runs.session_date < renamed.ends_before
    where
        runs.session_date < run_session.session_date
        and reports.recorded_at <= %(as_of)s
        and not runs.is_point_in_time
        and sessions.session_number > run_session.last_inactive_number
    order by
        coalesce(renamed.account_id, recommendations.account_id) asc,
        runs.session_date desc,
        runs.revision desc,
        recommendations.cut_ratio desc
)

select
    active_accounts.account_id,
    active_accounts.latest_session_date,
    active_accounts.sessions_absent,
    coalesce(session_counts.active_session_count, 0) as active_session_count,
    active_accounts.newest_session_date,
    newest_books.incomplete_reason,
    deliveries_of_session.delivery_state,
    next_forecasts.quantile_05_usd,
    coalesce(past_forecasts.issued_losses_usd, '{}') as issued_losses_usd,
    last_recommendations.cut_ratio as last_cut_ratio,
    last_recommendations.level as last_level,
    last_recommendations.session_date as last_session_date
from active_accounts
inner join derived.daily_pnl as newest_books
    on
        active_accounts.account_id = newest_books.account_id
        and active_accounts.newest_session_date = newest_books.session_date
left join session_counts on active_accounts.account_id = session_counts.account_id
left join deliveries_of_session on active_accounts.account_id = deliveries_of_session.account_id
left join account_terms on active_accounts.account_id = account_terms.account_id
left join next_forecasts on active_accounts.account_id = next_forecasts.account_id
left join past_forecasts on active_accounts.account_id = past_forecasts.account_id
left join last_recommendations on active_accounts.account_id = last_recommendations.account_id
where account_terms.is_disabled is not true
order by active_accounts.account_id asc;
