-- Lists the newest models.
-- Grain: one row per model, newest first. Reads: model_versions. Binds: row_count.
select
    model_versions.model_id,
    model_versions.content_sha256,
    model_versions.last_session_date,
    model_versions.pair_count
from risk.model_versions
order by
    model_versions.last_session_date desc,
    model_versions.model_id desc
limit %(row_count)s;
