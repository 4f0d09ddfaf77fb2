-- Lets a model be stored again whose stored text was damaged: the same training gives the same hash, and the damaged
-- row stays as evidence.
-- Grain: -. Reads: -. Writes: model_versions. Binds: -. Money: -. Rerun: applied once.
alter table model_versions
drop constraint model_versions_content_sha256_key;
