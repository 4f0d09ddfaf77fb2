create table results.recommendations (
    run_id bigint not null references risk.runs (run_id),
    account_id text not null,
    status text not null check (status in ('active', 'limited history', 'stale')),
    level text not null check (level in ('high', 'moderate', 'low')),
    cut_ratio numeric(3, 2) not null check (cut_ratio between 0 and 0.95),
    base_limit_usd numeric(18, 2) not null,
    new_limit_usd numeric(18, 2) not null,
    source text not null check (source in ('rules', 'filtered', 'model')),
    source_version text not null,
    source_reason text not null,
    reasons text[] not null,
    rules_cut_ratio numeric(3, 2) not null,
    model_cut_ratio numeric(3, 2),
    forecast_quantile_05_usd numeric,
    active_session_count integer not null,
    latest_session_date date not null,
    forecast_fan_usd numeric(18, 2)[],
    expected_shortfall_usd numeric(18, 2),
    loss_probability numeric(6, 5),
    primary key (run_id, account_id)
);

comment on table results.recommendations is
'What a run recommends for each active account. Grain: one row per run and account. The task replaces its '
'run''s rows.';
comment on column results.recommendations.run_id is 'Run the row belongs to.';
comment on column results.recommendations.account_id is 'Account.';
comment on column results.recommendations.status is 'active, limited history or stale.';
comment on column results.recommendations.level is 'Risk level of the account.';
comment on column results.recommendations.cut_ratio is 'Recommended cut; 0.40 = 40%.';
comment on column results.recommendations.base_limit_usd is 'Limit before the cut, US dollars.';
comment on column results.recommendations.new_limit_usd is 'Limit after the cut, US dollars.';
comment on column results.recommendations.source is 'What the cut comes from.';
comment on column results.recommendations.source_version is
'Version of the policy whose rules decided, or of the model.';
comment on column results.recommendations.source_reason is 'Why this source is used.';
comment on column results.recommendations.reasons is 'Sentences behind the cut, strongest first.';
comment on column results.recommendations.rules_cut_ratio is 'Cut by the rules.';
comment on column results.recommendations.model_cut_ratio is 'Cut by the model; null = no forecast.';
comment on column results.recommendations.forecast_quantile_05_usd is
'5% quantile of total P&L, US dollars; null = no forecast.';
comment on column results.recommendations.active_session_count is 'Sessions of the account with fills.';
comment on column results.recommendations.latest_session_date is 'Newest session of the account.';
comment on column results.recommendations.forecast_fan_usd is
'Forecast quantiles at 1, 5, 10, 25, 50, 75 and 95%, US dollars, ascending; null = no forecast.';
comment on column results.recommendations.expected_shortfall_usd is
'Expected shortfall at 5%, US dollars, a positive loss.';
comment on column results.recommendations.loss_probability is 'Probability of a loss beyond the base limit.';
