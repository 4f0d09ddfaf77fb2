create table results.desk_tail_shares (
    run_id bigint not null references results.desk_tails (run_id),
    account_id text not null,
    limit_usd numeric(18, 2) not null,
    loss_probability numeric(6, 5) not null,
    expected_excess_usd numeric(18, 2) not null,
    shortfall_usd numeric(18, 2),
    share_ratio numeric,
    share_low_ratio numeric,
    share_high_ratio numeric,
    relief_usd numeric(18, 2),
    scenario_count integer not null,
    primary key (run_id, account_id)
);

comment on table results.desk_tail_shares is
'What each account may lose beyond its limit, and its part of the desk''s tail. Grain: one row per run and account '
'with a limit and a forecast. The task replaces its run''s rows.';
comment on column results.desk_tail_shares.run_id is 'Run the row belongs to.';
comment on column results.desk_tail_shares.account_id is 'Account.';
comment on column results.desk_tail_shares.limit_usd is 'Limit that will be in force, US dollars.';
comment on column results.desk_tail_shares.loss_probability is
'Probability of a loss beyond that limit at the close.';
comment on column results.desk_tail_shares.expected_excess_usd is
'Expected loss beyond that limit, US dollars; 0 counts where it is not passed.';
comment on column results.desk_tail_shares.shortfall_usd is
'Mean loss in the worst 5% of the desk''s sessions, US dollars; negative = the account earns there; null = too few '
'sessions.';
comment on column results.desk_tail_shares.share_ratio is
'Its share of the desk''s expected shortfall; all add up to 1; null where the desk''s worst sessions are no loss.';
comment on column results.desk_tail_shares.share_low_ratio is
'Lower end of the share''s 95% interval (whole sessions resampled).';
comment on column results.desk_tail_shares.share_high_ratio is 'Upper end.';
comment on column results.desk_tail_shares.relief_usd is
'What this account''s cut alone takes off the desk''s shortfall at base limits, US dollars; negative = it costs.';
comment on column results.desk_tail_shares.scenario_count is 'Simulated sessions in which the account has a result.';
