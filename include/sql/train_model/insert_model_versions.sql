-- Stores a trained model; the same bytes are the same model, unless what is stored under its hash was damaged.
-- Grain: one row, none where it is stored already. Reads: model_versions. Writes: model_versions. Money: -.
-- Rerun: changes nothing.
-- Binds: content_sha256, artefact, first_session_date, last_session_date, pair_count, card (JSON), dag_run_id.
insert into risk.model_versions (
    content_sha256,
    artefact,
    first_session_date,
    last_session_date,
    pair_count,
    card,
    dag_run_id
)
select
    %(content_sha256)s,
    %(artefact)s,
    %(first_session_date)s,
    %(last_session_date)s,
    %(pair_count)s,
    %(card)s::jsonb,
    %(dag_run_id)s
where
    not exists (
        select 1
        from risk.model_versions as stored
        where
            stored.content_sha256 = %(content_sha256)s
            and stored.artefact = %(artefact)s
    );
