-- Stores why the forecasts of a run are what they are.
-- Grain: one row per account. Writes: explanations. Money: shares of the logarithm of US dollars.
-- Binds: run_id, explanations (JSON array of objects with account_id, log_loss, contributions and sentences).
-- Rerun: replaces the run's rows.
with incoming as (
    select
        listed.account_id,
        listed.log_loss,
        listed.contributions,
        listed.sentences
    from
        jsonb_to_recordset(%(explanations)s::jsonb) as listed (
            account_id text,
            log_loss double precision,
            contributions jsonb,
            sentences text[]
        )
),

removed as (
    delete from results.explanations
    where
        explanations.run_id = %(run_id)s
        and not exists (
            select 1
            from incoming
            where incoming.account_id = explanations.account_id
        )
)

insert into results.explanations (
    run_id,
    account_id,
    log_loss,
    contributions,
    sentences
)
select
    %(run_id)s as run_id,
    incoming.account_id,
    incoming.log_loss,
    incoming.contributions,
    incoming.sentences
from incoming
on conflict (run_id, account_id) do update set
    log_loss = excluded.log_loss,
    contributions = excluded.contributions,
    sentences = excluded.sentences;
