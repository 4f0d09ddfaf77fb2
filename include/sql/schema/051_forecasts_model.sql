-- Forecasts of a stored model: issued by a run with it, or reconstructed when it was trained (then without a run).
-- Grain: one row per account, effective session and expert. Reads: -. Writes: forecasts. Binds: -. Money: -.
-- Rerun: applied once.
-- expert: also log_scale_ridge, boosted, garch, mixture, and model (the calibrated mixture: what the model would
-- serve).
alter table forecasts
alter column run_id drop not null,
add column model_id bigint references model_versions (model_id),
add constraint forecasts_source check (run_id is not null or model_id is not null);
