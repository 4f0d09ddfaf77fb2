-- What a run recommends for each active account.
-- Grain: one row per run and account. Reads: -. Writes: recommendations. Binds: -.
-- Money: US dollars. Rerun: applied once; the task replaces its run's rows.
-- reasons: the sentences behind the cut, strongest first. source_reason: why this source serves.
create table recommendations (
    run_id bigint not null references runs (run_id),
    account_id text not null,
    status text not null check (status in ('active', 'limited history', 'stale')),
    level text not null check (level in ('high', 'moderate', 'low')),
    cut_ratio numeric(3, 2) not null check (cut_ratio between 0 and 0.80),
    base_limit_usd numeric(18, 2) not null,
    new_limit_usd numeric(18, 2) not null,
    source text not null check (source in ('rules', 'model')),
    source_version text not null,
    source_reason text not null,
    reasons text[] not null,
    rules_cut_ratio numeric(3, 2) not null,
    model_cut_ratio numeric(3, 2),
    forecast_quantile_05_usd numeric,
    active_session_count integer not null,
    latest_session_date date not null,
    primary key (run_id, account_id)
);
