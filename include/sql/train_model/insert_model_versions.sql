-- Stores a trained model; the same bytes are the same model.
-- Grain: one row, none where it is stored already. Reads: -. Writes: model_versions. Money: -. Rerun: changes nothing.
-- Binds: content_sha256, artefact, first_session_date, last_session_date, pair_count, card (JSON), dag_run_id.
insert into model_versions (
    content_sha256,
    artefact,
    first_session_date,
    last_session_date,
    pair_count,
    card,
    dag_run_id
)
values (
    %(content_sha256)s,
    %(artefact)s,
    %(first_session_date)s,
    %(last_session_date)s,
    %(pair_count)s,
    %(card)s::jsonb,
    %(dag_run_id)s
)
on conflict (content_sha256) do nothing;
