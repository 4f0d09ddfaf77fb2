-- Reads what is known of some models, with the links; the artifact itself is not shown.
-- Grain: one row per model. Reads: model_versions, chain_links. Binds: model_ids.
select
    links.sequence as link_sequence,
    model_versions.model_id,
    model_versions.content_sha256,
    model_versions.first_session_date,
    model_versions.last_session_date,
    model_versions.pair_count,
    model_versions.card,
    model_versions.recorded_at
from risk.model_versions
left join risk.chain_links as links
    on
        links.kind = 'model_versions'
        and links.subject = model_versions.model_id::text
where model_versions.model_id = any(%(model_ids)s)
order by model_versions.model_id;
