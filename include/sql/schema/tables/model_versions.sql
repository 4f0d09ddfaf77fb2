create table risk.model_versions (
    model_id bigint generated always as identity primary key,
    content_sha256 text not null,
    artefact text not null,
    first_session_date date not null references risk.sessions (session_date),
    last_session_date date not null references risk.sessions (session_date),
    pair_count integer not null,
    card jsonb not null,
    dag_run_id text not null,
    recorded_at timestamptz not null default clock_timestamp()
);

create index model_versions_content on risk.model_versions (content_sha256);

comment on table risk.model_versions is
'Trained models. Grain: one row per artifact. Append only. A damaged artifact is stored again by the same '
'training; the damaged row stays as evidence.';
comment on column risk.model_versions.model_id is 'Key of the model.';
comment on column risk.model_versions.content_sha256 is 'SHA-256 of the artifact, checked before every use.';
comment on column risk.model_versions.artefact is 'The model as canonical JSON; nothing else is ever loaded.';
comment on column risk.model_versions.first_session_date is 'Oldest session it was trained on.';
comment on column risk.model_versions.last_session_date is
'Newest session it was trained on; it forecasts later sessions only.';
comment on column risk.model_versions.pair_count is 'Account-sessions it was trained on.';
comment on column risk.model_versions.card is
'Measurements of the training, shown on the model''s page and in its mail.';
comment on column risk.model_versions.dag_run_id is 'Airflow''s run.';
comment on column risk.model_versions.recorded_at is 'When the row was recorded (committed).';
