-- Why a forecast is what it is.
-- Grain: one row per run and account. Reads: -. Writes: explanations. Binds: -. Rerun: applied once; the task replaces
-- its run's rows. Money: contributions are shares of the logarithm of the forecast loss in US dollars.
-- contributions: JSON object by feature or part; they add up to log_loss.
create table explanations (
    run_id bigint not null references runs (run_id),
    account_id text not null,
    log_loss double precision not null,
    contributions jsonb not null,
    sentences text[] not null,
    primary key (run_id, account_id)
);
