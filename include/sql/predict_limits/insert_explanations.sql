-- Stores why the forecasts of a run are what they are.
-- Grain: one row per account. Reads: -. Writes: explanations. Money: shares of the logarithm of US dollars.
-- Binds: run_id, explanations (JSON array of objects with account_id, log_loss, contributions and sentences).
-- Rerun: after delete_explanations, the same rows.
insert into results.explanations (
    run_id,
    account_id,
    log_loss,
    contributions,
    sentences
)
select
    %(run_id)s,
    given.account_id,
    given.log_loss,
    given.contributions,
    given.sentences
from
    jsonb_to_recordset(%(explanations)s::jsonb) as given (
        account_id text,
        log_loss double precision,
        contributions jsonb,
        sentences text[]
    );
