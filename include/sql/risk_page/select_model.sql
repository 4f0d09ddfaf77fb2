-- Reads a stored model's identity and card; without a number those of the newest.
-- Grain: at most one row. Reads: model_versions. Binds: model_id (null = the newest).
select
    model_versions.model_id,
    model_versions.content_sha256,
    model_versions.first_session_date,
    model_versions.last_session_date,
    model_versions.pair_count,
    length(model_versions.artefact) as character_count,
    model_versions.card,
    model_versions.dag_run_id,
    model_versions.recorded_at
from risk.model_versions
where
    %(model_id)s::bigint is null
    or model_versions.model_id = %(model_id)s
order by
    model_versions.last_session_date desc,
    model_versions.model_id desc
limit 1;
