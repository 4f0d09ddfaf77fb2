create table derived.forecasts (
    account_id text not null,
    effective_session date not null references risk.sessions (session_date),
    expert text not null,
    run_id bigint references risk.runs (run_id),
    quantile_05_usd numeric not null check (quantile_05_usd < 0),
    is_live boolean not null,
    model_id bigint references risk.model_versions (model_id),
    primary key (account_id, effective_session, expert),
    constraint forecasts_source check (run_id is not null or model_id is not null)
);

comment on table derived.forecasts is
'One-step-ahead forecasts of the 5% quantile of total P&L; the first one for a session counts and is never '
'replaced. Grain: one row per account, effective session and expert. Append only.';
comment on column derived.forecasts.account_id is
'Account, by the name it was issued under; readers follow renames, see renamed_forecasts.';
comment on column derived.forecasts.effective_session is 'Session the limits are for.';
comment on column derived.forecasts.expert is
'historical, filtered or calibrated (which need no model), prior (from simulated desks); log_scale_ridge, boosted, '
'garch, mixture or model (the calibrated mixture).';
comment on column derived.forecasts.run_id is 'Run that issued it; null = reconstructed when the model was trained.';
comment on column derived.forecasts.quantile_05_usd is '5% quantile of total P&L, US dollars, negative.';
comment on column derived.forecasts.is_live is 'Whether it was issued before the effective session opened.';
comment on column derived.forecasts.model_id is 'Model behind it; null = none.';
