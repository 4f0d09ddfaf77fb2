-- Models that were trained: each is its own text, and nothing else is ever loaded.
-- Grain: one row per artefact. Reads: -. Writes: model_versions. Binds: -. Money: -. Rerun: applied once. Append only.
-- artefact: canonical JSON; content_sha256: of its bytes, checked before every use.
-- last_session_date: the newest session whose results it has seen; it forecasts for later sessions only.
-- card: what training has measured (JSON), shown on the model's page and in the training's mail.
create table model_versions (
    model_id bigint generated always as identity primary key,
    content_sha256 text not null unique,
    artefact text not null,
    first_session_date date not null references sessions (session_date),
    last_session_date date not null references sessions (session_date),
    pair_count integer not null,
    card jsonb not null,
    dag_run_id text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
