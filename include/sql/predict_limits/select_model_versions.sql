-- Reads the newest model a run may use: known by its cut-off, and trained on sessions before the run's only.
-- Grain: at most one row. Reads: model_versions, sessions. Writes: -. Binds: session_date, as_of. Money: -.
-- Rerun: reads only.
-- session_count: sessions since its last one, 0 = none.
select
    model_versions.model_id,
    model_versions.content_sha256,
    model_versions.artefact,
    model_versions.last_session_date,
    (
        select count(*)
        from risk.sessions
        where
            sessions.session_date > model_versions.last_session_date
            and sessions.session_date <= %(session_date)s
    ) as session_count
from risk.model_versions
where
    model_versions.last_session_date < %(session_date)s
    and model_versions.recorded_at <= %(as_of)s
order by
    model_versions.last_session_date desc,
    model_versions.model_id desc
limit 1;
