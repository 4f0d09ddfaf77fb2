-- Reads the run's recommendation for each active account, with the P&L and delivery state of its session.
-- Grain: one row per active account, by urgency: level, then cut, then forecast loss in base limits (none last), then
-- name.
-- Reads: recommendations, explanations, delivery_states, daily_pnl.
-- Binds: pnl_sessions; active_within (sessions); levels (from the most urgent one on).
-- Money: US dollars, gains positive, the forecast negative; recent_results_usd: total P&L of the last pnl_sessions
-- sessions with complete books, oldest first.
with delivered as (
    select
        delivery_states.account_id,
        delivery_states.state,
        delivery_states.loaded_count
    from risk.delivery_states(%(session_date)s, %(as_of)s, %(active_within)s, %(legacy_suffix)s) as delivery_states
),

booked as (
    select
        daily_pnl.account_id,
        daily_pnl.net_pnl_usd,
        daily_pnl.total_pnl_usd,
        daily_pnl.incomplete_reason
    from derived.daily_pnl
    where daily_pnl.session_date = %(session_date)s
),

recommended as (
    select
        recommendations.account_id,
        recommendations.status,
        recommendations.level,
        recommendations.cut_ratio,
        recommendations.base_limit_usd,
        recommendations.new_limit_usd,
        recommendations.reasons,
        recommendations.source,
        recommendations.source_version,
        recommendations.source_reason,
        recommendations.rules_cut_ratio,
        recommendations.model_cut_ratio,
        recommendations.forecast_quantile_05_usd,
        recommendations.forecast_fan_usd,
        recommendations.expected_shortfall_usd,
        recommendations.loss_probability,
        recommendations.active_session_count,
        recommendations.latest_session_date,
        explanations.sentences as explanations
    from results.recommendations
    left join results.explanations
        on
            recommendations.run_id = explanations.run_id
            and recommendations.account_id = explanations.account_id
    where recommendations.run_id = %(run_id)s
),

numbered as (
    select
        daily_pnl.account_id,
        daily_pnl.session_date,
        daily_pnl.total_pnl_usd,
        row_number() over (partition by daily_pnl.account_id order by daily_pnl.session_date desc) as age
    from derived.daily_pnl
    inner join recommended on daily_pnl.account_id = recommended.account_id
    where
        daily_pnl.session_date <= %(session_date)s
        and daily_pnl.total_pnl_usd is not null
),

recent as (
    select
        numbered.account_id,
        array_agg(numbered.total_pnl_usd order by numbered.session_date asc) as results_usd
    from numbered
    where numbered.age <= %(pnl_sessions)s
    group by numbered.account_id
)

select
    recommended.account_id,
    recommended.status,
    recommended.level,
    recommended.cut_ratio,
    recommended.base_limit_usd,
    recommended.new_limit_usd,
    recommended.reasons,
    recommended.source,
    recommended.source_version,
    recommended.source_reason,
    recommended.rules_cut_ratio,
    recommended.model_cut_ratio,
    recommended.forecast_quantile_05_usd,
    coalesce(recommended.forecast_fan_usd, '{}') as forecast_fan_usd,
    recommended.expected_shortfall_usd,
    recommended.loss_probability,
    coalesce(recommended.explanations, '{}') as explanations,
    recommended.active_session_count,
    recommended.latest_session_date,
    booked.net_pnl_usd,
    booked.total_pnl_usd,
    booked.incomplete_reason,
    coalesce(recent.results_usd, '{}') as recent_results_usd,
    case
        when delivered.state = 'delivered' and delivered.loaded_count = 0 then 'rejected'
        else coalesce(delivered.state, 'missing')
    end as delivery_state
from recommended
left join delivered on recommended.account_id = delivered.account_id
left join booked on recommended.account_id = booked.account_id
left join recent on recommended.account_id = recent.account_id
order by
    array_position(%(levels)s::text[], recommended.level) asc,
    recommended.cut_ratio desc,
    case
        when recommended.base_limit_usd > 0 then recommended.forecast_quantile_05_usd / recommended.base_limit_usd
    end asc nulls last,
    recommended.account_id collate "C" asc;
