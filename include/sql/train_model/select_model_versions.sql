-- Reads a stored model's identity and card; of a model that had to be stored again, the newest.
-- Grain: at most one row. Reads: model_versions. Writes: -. Binds: content_sha256. Money: -. Rerun: reads only.
select
    model_versions.model_id,
    model_versions.content_sha256,
    model_versions.first_session_date,
    model_versions.last_session_date,
    model_versions.pair_count,
    model_versions.card,
    model_versions.recorded_at
from risk.model_versions
where model_versions.content_sha256 = %(content_sha256)s
order by model_versions.model_id desc
limit 1;
