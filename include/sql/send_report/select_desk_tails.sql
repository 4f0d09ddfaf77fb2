-- Reads what a run says of the desk's tail, and each account's part in it.
-- Grain: one row per account, by name; the columns of the desk are the same in all. Without an account with a forecast
-- one row whose account_id is null; without a tail none.
-- Reads: desk_tails, desk_tail_shares. Binds: run_id. Money: US dollars, losses positive.
select
    desk_tails.session_count,
    desk_tails.account_count,
    desk_tails.value_at_risk_usd,
    desk_tails.expected_shortfall_usd,
    desk_tails.shortfall_low_usd,
    desk_tails.shortfall_high_usd,
    desk_tails.at_base_usd,
    desk_tails.at_limits_usd,
    shares.account_id,
    shares.limit_usd,
    shares.loss_probability,
    shares.expected_excess_usd,
    shares.shortfall_usd,
    shares.share_ratio,
    shares.share_low_ratio,
    shares.share_high_ratio,
    shares.relief_usd,
    shares.scenario_count
from results.desk_tails
left join results.desk_tail_shares as shares on desk_tails.run_id = shares.run_id
where desk_tails.run_id = %(run_id)s
order by shares.account_id asc;
