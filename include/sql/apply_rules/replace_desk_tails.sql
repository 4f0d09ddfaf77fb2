-- Replaces what a run says of the desk's tail and of each account's part in it.
-- Grain: one row for the desk, one row per account. Writes: desk_tails, desk_tail_shares.
-- Binds: run_id, the columns of desk_tails, shares (JSON array of objects by column name, numbers as decimal text).
-- Money: US dollars, losses positive. Rerun: the same rows.
delete from results.desk_tail_shares
where desk_tail_shares.run_id = %(run_id)s;

delete from results.desk_tails
where desk_tails.run_id = %(run_id)s;

insert into results.desk_tails (
    run_id,
    session_count,
    account_count,
    value_at_risk_usd,
    expected_shortfall_usd,
    shortfall_low_usd,
    shortfall_high_usd,
    at_base_usd,
    at_limits_usd
)
values (
    %(run_id)s,
    %(session_count)s,
    %(account_count)s,
    %(value_at_risk_usd)s,
    %(expected_shortfall_usd)s,
    %(shortfall_low_usd)s,
    %(shortfall_high_usd)s,
    %(at_base_usd)s,
    %(at_limits_usd)s
);

insert into results.desk_tail_shares (
    run_id,
    account_id,
    limit_usd,
    loss_probability,
    expected_excess_usd,
    shortfall_usd,
    share_ratio,
    share_low_ratio,
    share_high_ratio,
    relief_usd,
    scenario_count
)
select
    %(run_id)s,
    incoming.account_id,
    incoming.limit_usd,
    incoming.loss_probability,
    incoming.expected_excess_usd,
    incoming.shortfall_usd,
    incoming.share_ratio,
    incoming.share_low_ratio,
    incoming.share_high_ratio,
    incoming.relief_usd,
    incoming.scenario_count
from jsonb_populate_recordset(null::results.desk_tail_shares, %(shares)s::jsonb) as incoming;
