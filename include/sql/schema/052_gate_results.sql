-- What the gate found in a run: whether the model may serve.
-- Grain: one row per run. Reads: -. Writes: gate_results. Binds: -. Money: -.
-- Rerun: applied once; the task replaces its run's row.
-- model_id: the model that forecasts; null = none could be used, and reasons say why.
-- improvement: 1 - loss over the rules' loss in the last 60 sessions; null with fewer. drifts: sentences for the mail.
create table gate_results (
    run_id bigint primary key references runs (run_id),
    model_id bigint references model_versions (model_id),
    is_serving boolean not null,
    is_pass boolean not null,
    session_count integer not null,
    forecast_count integer not null,
    improvement double precision,
    p_value double precision,
    breach_rate double precision,
    kupiec_p_value double precision,
    christoffersen_p_value double precision,
    reasons text[] not null,
    drifts text[] not null,
    check (model_id is not null or not is_serving)
);
