-- Finds a model by its hash.
-- Grain: -. Reads: model_versions. Writes: -. Binds: -. Money: -. Rerun: applied once.
create index model_versions_content on model_versions (content_sha256);
