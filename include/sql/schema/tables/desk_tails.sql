create table results.desk_tails (
    run_id bigint primary key references risk.runs (run_id),
    session_count integer not null,
    account_count integer not null,
    value_at_risk_usd numeric(18, 2),
    expected_shortfall_usd numeric(18, 2),
    shortfall_low_usd numeric(18, 2),
    shortfall_high_usd numeric(18, 2),
    at_base_usd numeric(18, 2),
    at_limits_usd numeric(18, 2)
);

comment on table results.desk_tails is
'What the desk may lose in the effective session, simulated from whole past sessions at the scale of today''s '
'forecasts. Losses are positive, US dollars; amounts are null with fewer than 60 sessions. Grain: one row per '
'run. The task replaces its run''s row.';
comment on column results.desk_tails.run_id is 'Run the row belongs to.';
comment on column results.desk_tails.session_count is 'Past sessions simulated, of the last 250.';
comment on column results.desk_tails.account_count is 'Accounts with a limit and a forecast.';
comment on column results.desk_tails.value_at_risk_usd is '95% value at risk of the desk, at the close.';
comment on column results.desk_tails.expected_shortfall_usd is
'Mean loss of the worst 5% of sessions; the accounts'' parts in desk_tail_shares add up to it.';
comment on column results.desk_tails.shortfall_low_usd is 'Lower end of its 95% interval (whole sessions resampled).';
comment on column results.desk_tails.shortfall_high_usd is 'Upper end.';
comment on column results.desk_tails.at_base_usd is
'The same if every loss that reaches the account''s base limit ended there, 5% slippage included.';
comment on column results.desk_tails.at_limits_usd is 'The same at the recommended limits.';
