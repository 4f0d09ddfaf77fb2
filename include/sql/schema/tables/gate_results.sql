create table results.gate_results (
    run_id bigint primary key references risk.runs (run_id),
    model_id bigint references risk.model_versions (model_id),
    serving text not null check (serving in ('rules', 'filtered', 'model')),
    is_pass boolean not null,
    session_count integer not null,
    forecast_count integer not null,
    improvement double precision,
    p_value double precision,
    exceedance_rate double precision,
    kupiec_p_value double precision,
    christoffersen_p_value double precision,
    reasons text[] not null,
    drifts text[] not null,
    check (model_id is not null or serving <> 'model')
);

comment on table results.gate_results is
'What the gate found in a run: whose cuts are recommended. Grain: one row per run. The task replaces '
'its run''s row.';
comment on column results.gate_results.run_id is 'Run the row belongs to.';
comment on column results.gate_results.model_id is 'Model that forecasts; null = none could be used, see reasons.';
comment on column results.gate_results.serving is 'Whose cuts are recommended.';
comment on column results.gate_results.is_pass is 'Whether the 60-session test passed; it decides nothing.';
comment on column results.gate_results.session_count is 'Sessions compared.';
comment on column results.gate_results.forecast_count is 'Forecasts compared.';
comment on column results.gate_results.improvement is
'1 - loss of the model over loss of the rules in the last 60 sessions; null with fewer.';
comment on column results.gate_results.p_value is 'Of the hypothesis that the model is no better.';
comment on column results.gate_results.exceedance_rate is 'Share of forecasts that were exceeded; 0.05 is expected.';
comment on column results.gate_results.kupiec_p_value is 'Kupiec''s test of the share, whole sessions drawn again.';
comment on column results.gate_results.christoffersen_p_value is
'Christoffersen''s test of independence; takes accounts for independent.';
comment on column results.gate_results.reasons is 'Sentences of what decided it.';
comment on column results.gate_results.drifts is 'Sentences about features that have drifted.';
